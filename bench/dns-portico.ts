/** The server that `bench/dns.ts` measures, as a process of its own: `node dns-portico.ts PORT NAMES`. */
import { silent } from '#core/log.ts'
import { createBudget } from '#dns/dnssec/budget.ts'
import { generateKey } from '#dns/dnssec/key.ts'
import { keyZones } from '#dns/dnssec/keyed-zones.ts'
import { advance } from '#dns/dnssec/roll.ts'
import { createSigning } from '#dns/dnssec/signer.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { createPlaces } from '#dns/pools/places.ts'
import type { PoolPlan } from '#dns/pools/plan.ts'
import { createSteering } from '#dns/pools/steering.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { zonePlan } from '../test/zone-fixture.ts'

const [port = 0, names = 0] = process.argv.slice(2).map(Number)
const written = zonePlan('example.com.', [
  '@ NS ns1.example.com.',
  'ns1 A 192.0.2.1',
  '*.wild A 192.0.2.2',
  'pool A 192.0.2.4',
  ...Array.from({ length: names }, (_, i) => `host${i} A 192.0.2.3`),
])

const pool: PoolPlan = {
  id: 'pool:bench',
  key: '',
  from: written.from,
  whenDown: 'all',
  members: [4, 5, 6, 7].map((i) => {
    return { address: `192.0.2.${i}`, place: { latitude: 10 * i, longitude: i }, weight: 1 }
  }),
}
const addresses = pool.members.map(({ address }) => address)
const zone: ZonePlan = {
  ...written,
  rrsets: written.rrsets.map((set) =>
    set.owner === 'pool.example.com.'
      ? { ...set, data: addresses, pool: { id: pool.id, policy: 'nearest' } }
      : set,
  ),
}

/** The same below another apex, signed. */
function signedAs(apex: string, denial: 'compact' | 'nsec'): ZonePlan {
  const rename = (text: string): string => text.replace('example.com', apex)
  return {
    ...zone,
    id: `zone:${apex}`,
    apex: `${apex}.`,
    rrsets: zone.rrsets.map((set) => ({ ...set, owner: rename(set.owner), data: set.data.map(rename) })),
    dnssec: { propagationMs: 0, lifetimeMs: null, resolver: null, denial },
  }
}

const signed = [signedAs('example.net', 'compact'), signedAs('example.org', 'nsec')]
const saved = advance(undefined, {
  wanted: { propagationMs: 0, lifetimeMs: null, resolver: null },
  nowSeconds: 0,
  ttl: 0,
  parent: null,
  command: null,
  newKey: generateKey,
  tagOf,
})
const { zones, keys } = keyZones([zone, ...signed], Object.fromEntries(signed.map(({ id }) => [id, saved!])))
const signing = createSigning({
  now: () => Date.now() / 1000,
  budget: createBudget(
    () => 1_000_000,
    () => performance.now(),
  ),
})
const server = createDnsServer({
  zones: compileZones(zones, new Map(), undefined, {
    signerOf(one) {
      const own = keys.get(one.id)
      return own && signing.signerOf(one, own)
    },
  }),
  limits: { udpPayload: 1232, tcpConnections: 512, tcpIdleMs: 10_000 },
  log: silent,
})
const places = createPlaces({ networks: [['127.0.0.0/8', { latitude: 50, longitude: 8 }]] }, null)
server.setSteering(createSteering([pool], places, {}))
await server.listen('127.0.0.1', port)
process.once('SIGTERM', () => void server.close())
