/** The server that `bench/dns.ts` measures, as a process of its own: `node dns-portico.ts PORT NAMES`. */
import { silent } from '#core/log.ts'
import { createBudget } from '#dns/dnssec/budget.ts'
import { generateKey } from '#dns/dnssec/key.ts'
import { keyZones } from '#dns/dnssec/keyed-zones.ts'
import { advance } from '#dns/dnssec/roll.ts'
import { createSigning } from '#dns/dnssec/signer.ts'
import { tagOf } from '#dns/dnssec/zone-keys.ts'
import type { RRsetPlan, ZonePlan } from '#dns/plan.ts'
import { createPlaces } from '#dns/pools/places.ts'
import type { PoolPlan } from '#dns/pools/plan.ts'
import { createSteering } from '#dns/pools/steering.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'

const from = { file: 'bench', line: 0, column: 0 }

function rrset(owner: string, type: string, data: string): RRsetPlan {
  return { owner, type, ttl: 3600, data: [data], from, why: 'written' }
}

const pool: PoolPlan = {
  id: 'pool:bench',
  key: '',
  from,
  whenDown: 'all',
  members: [4, 5, 6, 7].map((i) => {
    return { address: `192.0.2.${i}`, place: { latitude: 10 * i, longitude: i }, weight: 1 }
  }),
}

const [port = 0, names = 0] = process.argv.slice(2).map(Number)
const zone: ZonePlan = {
  id: 'zone:example.com',
  key: '',
  from,
  apex: 'example.com.',
  soa: {
    mname: 'ns1.example.com.',
    rname: 'hostmaster.example.com.',
    refresh: 10_800,
    retry: 3600,
    expire: 1_209_600,
    minimum: 300,
    ttl: 3600,
  },
  rrsets: [
    rrset('example.com.', 'NS', 'ns1.example.com.'),
    rrset('ns1.example.com.', 'A', '192.0.2.1'),
    rrset('*.wild.example.com.', 'A', '192.0.2.2'),
    {
      ...rrset('pool.example.com.', 'A', ''),
      data: pool.members.map(({ address }) => address),
      pool: { id: pool.id, policy: 'nearest' },
    },
    ...Array.from({ length: names }, (_, i) => rrset(`host${i}.example.com.`, 'A', '192.0.2.3')),
  ],
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
