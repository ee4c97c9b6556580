import type { Path, Written } from '#config/source.ts'
import { parseNetwork } from '#core/network.ts'
import { contentKey } from '#core/node.ts'
import type { Position, Problem } from '#core/problem.ts'
import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from '#dns/wire/address.ts'
import type { MemberHealthConfig, PlacesConfig, PoolsConfig } from './config.ts'
import { COUNTRY_PLACES } from './country-places.ts'
import type { MemberHealthPlan, MemberPlan, Place, PlacesPlan, PoolPlan } from './plan.ts'

/** Decide the pools of the file, and say what in them cannot be. */
export function planPools(
  pools: PoolsConfig,
  written: Written,
): { pools: ReadonlyMap<string, PoolPlan>; problems: Problem[] } {
  const problems: Problem[] = []
  const plans = new Map<string, PoolPlan>()
  for (const [name, { members, health, whenDown }] of Object.entries(pools)) {
    const path: Path = ['pools', name]
    const planned = members.flatMap((member, index): MemberPlan[] => {
      const at = written.at([...path, 'members', index])
      const {
        address: text,
        location,
        weight = 1,
      } = typeof member === 'string' ? { address: member } : member
      const address = canonicalAddress(text)
      if (address === undefined) problems.push(notAnAddress(text, name, at))
      const place = location === undefined ? null : (parsePlace(location) ?? null)
      if (location !== undefined && place === null) problems.push(notAPlace(location, at))
      return address === undefined ? [] : [{ address, place, weight }]
    })
    const twice = planned.find(
      ({ address }, i) => planned.findIndex((other) => other.address === address) < i,
    )
    if (twice !== undefined) problems.push(memberTwice(twice.address, name, written.at([...path, 'members'])))
    if (members.length === 0) problems.push(emptyPool(name, written.at([...path, 'members'])))
    const content = {
      members: planned,
      whenDown,
      ...(health === undefined ? {} : { health: planHealth(health) }),
    }
    plans.set(name, { id: `pool:${name}`, key: contentKey(content), from: written.keyAt(path), ...content })
  }
  return { pools: plans, problems }
}

/** Where clients are, by the file. */
export function planPlaces(
  { file, networks = {} }: PlacesConfig,
  written: Written,
): { places: PlacesPlan; problems: Problem[] } {
  const problems: Problem[] = []
  const entries = Object.entries(networks).flatMap(([network, location]): [string, Place][] => {
    const at = written.keyAt(['places', 'networks', network])
    const place = parsePlace(location)
    if (place === undefined) problems.push(notAPlace(location, at))
    if (parseNetwork(network) === undefined) problems.push(notANetwork(network, at))
    return place === undefined ? [] : [[network, place]]
  })
  return { places: { networks: entries, file: file ?? null }, problems }
}

/** `50.11,8.68`, or `DE`. */
function parsePlace(text: string): Place | undefined {
  const country = COUNTRY_PLACES.get(text)
  if (country !== undefined) return country
  const [latitude, longitude] = text.split(',').map(Number)
  if (latitude === undefined || longitude === undefined) return undefined
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined
}

function planHealth(health: MemberHealthConfig): MemberHealthPlan {
  const { port, path = null, tls, host = null, status, interval, timeout, up, down } = health
  return { port, path, tls, host, status, intervalMs: interval, timeoutMs: timeout, up, down }
}

function canonicalAddress(text: string): string | undefined {
  const ipv4 = parseIpv4(text)
  if (ipv4 !== undefined) return printIpv4(ipv4)
  const ipv6 = parseIpv6(text)
  return ipv6 === undefined ? undefined : printIpv6(ipv6)
}

function notAnAddress(text: string, pool: string, at: Position): Problem {
  const message = `A member of pool "${pool}" is "${text}"; an IPv4 or IPv6 address is wanted (RFC 1035 §3.4.1, RFC 3596 §2.2).`
  return { level: 'error', code: 'dns/pool-address', at, message, fix: '"203.0.113.10"' }
}

function memberTwice(address: string, pool: string, at: Position): Problem {
  const message = `Pool "${pool}" has ${address} twice; how much one member gets is its weight.`
  const fix = `{ "address": "${address}", "weight": 2 }`
  return { level: 'error', code: 'dns/pool-member-twice', at, message, fix }
}

function emptyPool(pool: string, at: Position): Problem {
  const message = `Pool "${pool}" has no members, so nothing could be answered.`
  return { level: 'error', code: 'dns/pool-empty', at, message, fix: '"members": ["203.0.113.10"]' }
}

function notAPlace(text: string, at: Position): Problem {
  const message = `"${text}" is no place: degrees north (-90 to 90) and east (-180 to 180), or the letters of a country.`
  return { level: 'error', code: 'dns/pool-place', at, message, fix: '"50.11,8.68" or "DE"' }
}

function notANetwork(text: string, at: Position): Problem {
  const message = `"${text}" is no network: an address and the length of its prefix are wanted (RFC 4632 §3.1).`
  return { level: 'error', code: 'dns/place-network', at, message, fix: '"198.51.100.0/24"' }
}
