import type { Fault } from './fault.ts'

const POOL = '"pools": { "app": { "members": ["203.0.113.1"] } },'
const HOST = '"www": { "service": 8081 }'

/** One example for each code about pools, places and ALIAS. */
export const steeringFaults: readonly Fault[] = [
  {
    code: 'dns/pool-address',
    why: 'Members are what A and AAAA records hold.',
    source: 'RFC 1035 §3.4.1, RFC 3596 §2.2',
    hosts: HOST,
    top: '"pools": { "app": { "members": ["app.example.net"] } },',
    where: '"app.example.net"',
  },
  {
    code: 'dns/pool-member-twice',
    why: 'How much one member gets is said by its weight.',
    hosts: HOST,
    top: '"pools": { "app": { "members": ["203.0.113.1", "203.0.113.1"] } },',
    where: '["203.0.113.1"',
  },
  {
    code: 'dns/pool-empty',
    why: 'Nothing could be answered.',
    hosts: HOST,
    top: '"pools": { "app": { "members": [] } },',
    where: '[] }',
  },
  {
    code: 'dns/pool-place',
    why: 'A place is on the globe, or a country that there is.',
    source: 'ISO 3166-1',
    hosts: HOST,
    top: '"pools": { "app": { "members": [{ "address": "203.0.113.1", "location": "91.5,8" }] } },',
    where: '{ "address"',
  },
  {
    code: 'dns/place-network',
    why: 'Clients are told apart by the first bits of their addresses.',
    source: 'RFC 4632 §3.1',
    hosts: HOST,
    top: '"places": { "networks": { "10.0.0.0/33": "DE" } },',
    where: '"10.0.0.0/33"',
  },
  {
    code: 'dns/pool-type',
    why: 'Members are addresses.',
    hosts: HOST,
    top: POOL,
    records: '"app": { "TXT": { "pool": "app" } }',
    where: '{ "pool"',
  },
  {
    code: 'dns/unknown-pool',
    why: 'Somebody has to say who the members are.',
    hosts: HOST,
    top: POOL,
    records: '"app": { "A": { "pool": "ap" } }',
    where: '{ "pool"',
  },
  {
    code: 'dns/pool-family',
    why: 'A has IPv4 addresses, AAAA has IPv6 addresses.',
    source: 'RFC 3596 §2.2',
    hosts: HOST,
    top: POOL,
    records: '"app": { "AAAA": { "pool": "app" } }',
    where: '{ "pool"',
  },
  {
    code: 'dns/pool-ttl',
    why: 'Clients of a member that goes down wait for as long as the TTL.',
    hosts: HOST,
    top: POOL,
    records: '"app": { "A": { "pool": "app", "ttl": "5m" } }',
    where: '{ "pool"',
  },
  {
    code: 'dns/pool-alone',
    why: 'An address beside a pool would never be chosen, or always.',
    hosts: HOST,
    top: POOL,
    records: '"app": { "A": [{ "pool": "app" }, "203.0.113.2"] }',
    where: '[{ "pool"',
  },
  {
    code: 'dns/several-aliases',
    why: 'The addresses of a name are those of one other name.',
    hosts: HOST,
    records: '"@": { "ALIAS": ["a.example.net", "b.example.net"] }',
    where: '["a.example.net"',
  },
  {
    code: 'dns/alias-and-addresses',
    why: 'The addresses of the target take the place of all others.',
    hosts: HOST,
    records: '"@": { "ALIAS": "a.example.net", "A": "203.0.113.2" }',
    where: '"a.example.net"',
  },
]
