import { Reader } from 'mmdb-lib'
import { printIpv4, printIpv6 } from '#dns/wire/address.ts'
import { COUNTRY_PLACES } from './country-places.ts'
import { type NetworkMatch, NetworkTree } from './network-tree.ts'
import type { Place, PlacesPlan } from './plan.ts'

/** Where clients are. */
export type Places = {
  /**
   * Find the place of a client, and for how wide a network it is the same.
   *
   * @param client 4 or 16 octets
   * @param bits how many of them are known
   */
  find(client: Uint8Array, bits: number): NetworkMatch<Place>
}

/** Networks whose place is remembered: an IPv4 /24 or an IPv6 /48. */
const KNOWN_LIMIT = 16_384
const NETWORK_BITS = { 4: 24, 16: 48 } as const

/**
 * Compile what the file says of places.
 *
 * @param octets the MaxMind-format file, or null without one
 * @throws {Error} when it is no such file
 */
export function createPlaces({ networks }: Pick<PlacesPlan, 'networks'>, octets: Uint8Array | null): Places {
  const tree = new NetworkTree(networks)
  const reader =
    octets === null
      ? undefined
      : new Reader<never>(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength))
  if (reader === undefined) return { find: (client, bits) => tree.find(client, bits) }
  const known = new Map<string, NetworkMatch<Place>>()

  function find(client: Uint8Array, bits: number): NetworkMatch<Place> {
    const own = tree.find(client, bits)
    if (own.value !== undefined) return own
    const network = NETWORK_BITS[client.length === 4 ? 4 : 16]
    const key = `${bits} ${client.subarray(0, network / 8).join('.')}`
    let match = known.get(key)
    if (match === undefined) {
      if (known.size >= KNOWN_LIMIT) known.clear()
      match = readPlace(
        reader!,
        client.map((octet, i) => (i < network / 8 ? octet : 0)),
      )
      known.set(key, match)
    }
    return { value: match.value, prefix: Math.min(bits, Math.max(own.prefix, match.prefix)) }
  }

  return { find }
}

function readPlace(
  reader: Pick<Reader<never>, 'getWithPrefixLength'>,
  address: Uint8Array,
): NetworkMatch<Place> {
  const text = address.length === 4 ? printIpv4(address) : printIpv6(address)
  const [record, prefix]: [unknown, number] = reader.getWithPrefixLength(text)
  return { value: placeOf(record), prefix }
}

/** The forms in use: coordinates, else a country; inside a record of theirs, or plain. */
function placeOf(record: unknown): Place | undefined {
  const inside = field(record, 'location') ?? record
  const latitude = Number(field(inside, 'latitude') ?? Number.NaN)
  const longitude = Number(field(inside, 'longitude') ?? Number.NaN)
  if (Number.isFinite(latitude) && Number.isFinite(longitude)) return { latitude, longitude }
  const country = field(field(record, 'country'), 'iso_code') ?? field(record, 'country_code')
  return COUNTRY_PLACES.get(String(country))
}

function field(record: unknown, name: string): unknown {
  if (typeof record !== 'object' || record === null) return undefined
  return Reflect.get(record, name)
}
