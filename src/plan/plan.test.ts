import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadText } from '#config/load.ts'
import { hasErrors, type Problem } from '#core/problem.ts'
import type { Facts } from './facts.ts'
import { type Plan, plan } from './plan.ts'

const facts: Facts = { dev: false, addresses: [] }

/** Plan a text; problems come back as `line code`. */
function planText(text: string, given: Facts = facts): { plan: Plan; problems: Problem[]; found: string[] } {
  const { config, problems } = loadText('portico.jsonc', text)
  if (config === null) throw new Error(problems.map((problem) => problem.message).join('\n'))
  const planned = plan(config, given)
  const all = [...problems, ...planned.problems]
  return { plan: planned.plan, problems: all, found: all.map(({ at, code }) => `${at.line} ${code}`) }
}

/** A file with one domain. */
function domain(hosts: string, records = '', rest = ''): string {
  return `{ "address": ["203.0.113.10"], ${rest}
"domains": { "example.com": { "hosts": {${hosts}},
"records": {${records}} } } }`
}

const planted: [string, string, string][] = [
  ['cname to address', domain('', '"www": { "CNAME": "203.0.113.7" }'), '3 dns/cname-to-address'],
  ['alias to address', domain('"shop": { "alias": "2001:db8::1" }'), '2 dns/cname-to-address'],
  [
    'cname beside other data (RFC 1034 §3.6.2)',
    domain('', '"w": { "CNAME": "a.net", "TXT": "x" }'),
    '3 dns/cname-and-other-data',
  ],
  [
    'cname beside a host',
    domain('"w": { "service": 81 }', '"w": { "CNAME": "a.net" }'),
    '3 dns/cname-and-other-data',
  ],
  ['cname at the apex (RFC 1912 §2.4)', domain('', '"@": { "CNAME": "a.net" }'), '3 dns/cname-at-apex'],
  ['alias at the apex', domain('"@": { "alias": "a.net" }'), '2 dns/cname-at-apex'],
  ['two cnames (RFC 2181 §10.1)', domain('', '"w": { "CNAME": ["a.net", "b.net"] }'), '3 dns/several-cnames'],
  ['cname loop', domain('', '"a": { "CNAME": "b" }, "b": { "CNAME": "a" }'), '3 dns/cname-loop'],
  [
    'mx to alias (RFC 2181 §10.3)',
    domain('"m": { "alias": "x.net" }', '"@": { "MX": "10 m" }'),
    '3 dns/mx-target-is-alias',
  ],
  [
    'ns to alias',
    domain('"n": { "alias": "x.net" }', '"@": { "NS": ["n", "b.net"] }'),
    '3 dns/ns-target-is-alias',
  ],
  [
    'srv to alias (RFC 2782)',
    domain('"s": { "alias": "x.net" }', '"_x._tcp": { "SRV": "0 0 80 s" }'),
    '3 dns/srv-target-is-alias',
  ],
  ['mx to address (RFC 1035 §3.3.9)', domain('', '"@": { "MX": "10 192.0.2.1" }'), '3 dns/target-is-address'],
  ['long label (RFC 1035 §2.3.4)', domain(`"${'a'.repeat(64)}": { "service": 81 }`), '2 dns/label-too-long'],
  [
    'long name (RFC 1035 §3.1)',
    domain(`"${`${'a'.repeat(60)}.`.repeat(4)}b": { "service": 81 }`),
    '2 dns/name-too-long',
  ],
  ['host characters (RFC 1123 §2.1)', domain('"a!b": { "service": 81 }'), '2 dns/host-name-characters'],
  ['host with a hyphen in front', domain('"-a": { "service": 81 }'), '2 dns/host-name-characters'],
  ['underscore on an address (RFC 8552)', domain('"a_b": { "service": 81 }'), '2 dns/underscore-on-address'],
  [
    'ttl range (RFC 2181 §8)',
    domain('', '"a": { "A": { "data": "192.0.2.1", "ttl": 2147483648 } }'),
    '3 dns/ttl-range',
  ],
  [
    'one ttl per RRset (RFC 2181 §5.2)',
    domain('', '"a": { "TXT": ["x", { "data": "y", "ttl": 60 }] }'),
    '3 dns/ttl-differs',
  ],
  [
    'duplicate record (RFC 2181 §5)',
    domain('', '"a": { "MX": ["10 x.net", "10 X.NET"] }'),
    '3 dns/duplicate-record',
  ],
  ['long text (RFC 7208 §3.3)', domain('', `"a": { "TXT": "${'x'.repeat(300)}" }`), '3 dns/txt-split'],
  ['wildcard place (RFC 4592 §2.1.1)', domain('', '"a.*": { "TXT": "x" }'), '3 dns/wildcard-not-leftmost'],
  [
    'wildcard does not reach (RFC 4592 §2.2.1)',
    domain('"*": { "service": 81 }', '"m": { "MX": "10 x.net" }'),
    '3 dns/wildcard-does-not-reach',
  ],
  [
    'below a delegation (RFC 1034 §4.2.1)',
    domain('"a.dev": { "service": 81 }', '"dev": { "NS": "ns.x.net" }'),
    '2 dns/below-delegation',
  ],
  [
    'host without address',
    domain('"a": { "service": 81 }', '"a": { "A": [] }'),
    '2 plan/host-without-address',
  ],
  ['address without host', domain('', '"a": { "A": "203.0.113.10" }'), '3 plan/address-without-host'],
  [
    'host that points elsewhere',
    domain('"a": { "service": 81 }', '"a": { "A": "198.51.100.1" }'),
    '3 plan/host-points-elsewhere',
  ],
  [
    'two listeners',
    domain('', '', '"listen": { "http": ":8080", "https": "0.0.0.0:8080" },'),
    '1 plan/listener-clash',
  ],
  ['a service at a port of ours', domain('"a": { "service": 443 }'), '2 plan/listener-clash'],
  [
    'routes that tie',
    domain('"a": { "routes": { "/a%62": { "service": 81 }, "/ab": { "service": 82 } } }'),
    '2 http/routes-tie',
  ],
  ['odd pattern', domain('"a": { "routes": { "api": { "service": 81 } } }'), '2 http/route-pattern'],
  ['unknown key', domain('"a": { "servce": 81 }'), '2 config/unknown-key'],
  [
    'size without unit',
    domain('', '', '"limits": { "http": { "body": 500 } },'),
    '1 config/size-without-unit',
  ],
  [
    'duration without unit',
    domain('', '', '"limits": { "http": { "idleTimeout": 5 } },'),
    '1 config/duration-without-unit',
  ],
  [
    'several SPF (RFC 7208 §4.5)',
    domain('', '"@": { "TXT": ["v=spf1 -all", "v=spf1 a -all"] }'),
    '3 dns/several-spf',
  ],
  ['unknown type (RFC 3597 §5)', domain('', '"@": { "TXTT": "x" }'), '3 dns/unknown-type'],
  ['meta type (RFC 6895 §3.1)', domain('', '"@": { "ANY": "x" }'), '3 dns/meta-type'],
  ['a written SOA', domain('', '"@": { "SOA": "x" }'), '3 dns/soa-is-derived'],
  [
    'data of another form (RFC 1035 §3.4.1)',
    domain('', '"a": { "A": "198.51.100.256" }'),
    '3 dns/record-data',
  ],
  ['outside the zone (RFC 1034 §4.2)', domain('', '"a.net.": { "TXT": "x" }'), '3 dns/out-of-zone'],
  ['domain written twice', domain('"a.example.com": { "service": 81 }'), '2 dns/domain-in-name'],
  [
    'host written twice (RFC 4343 §2)',
    domain('"a": { "service": 81 }, "A": { "service": 82 }'),
    '2 dns/host-twice',
  ],
  ['two kinds', domain('"a": { "service": 81, "files": "." }'), '2 config/one-kind'],
  ['no kind', domain('"a": { }'), '2 config/one-kind'],
  ['not an address (RFC 3596 §2.2)', '{ "address": ["host"], "domains": {} }', '1 plan/not-an-address'],
  ['command of a shell', domain('"a": { "service": { "run": "a | b" } }'), '2 http/command'],
]

for (const [name, text, wanted] of planted) {
  test(`plan() finds exactly the planted fault: ${name}`, () => {
    const { found, problems } = planText(text)
    assert.deepEqual(found, [wanted])
    assert.ok(problems[0]!.message.length > 20)
  })
}

const clean: [string, string][] = [
  ['a small site', domain('"@": { "files": "./public" }, "www": { "redirect": "https://example.com" }')],
  [
    'mail beside hosts',
    domain(
      '"@": { "service": 81 }',
      '"@": { "MX": "10 mail", "TXT": "v=spf1 mx -all" }, "mail": { "A": "203.0.113.10" }',
    ),
  ],
  [
    'dkim and dmarc',
    domain(
      '"*": { "service": 81 }',
      '"_dmarc": { "TXT": "v=DMARC1; p=none" }, "k._domainkey": { "TXT": "v=DKIM1; p=AA" }',
    ),
  ],
  [
    'delegation with glue',
    domain(
      '',
      '"dev": { "NS": "ns.dev.example.com", "DS": "1 13 2 0000000000000000000000000000000000000000000000000000000000000000" }, "ns.dev": { "A": "192.0.2.1" }',
    ),
  ],
  ['unicode', domain('"bücher": { "service": 81 }')],
]

for (const [name, text] of clean) {
  test(`plan() says nothing of a clean file: ${name}`, () => {
    assert.deepEqual(planText(text).found, [])
  })
}

test('plan() is plain data that survives structuredClone, with equal keys for equal content', () => {
  const text = domain('"a": { "service": 81 }, "*": { "files": "." }')
  const first = planText(text).plan
  assert.deepEqual(structuredClone(first), first)
  const moved = planText(`\n\n${text}`).plan
  assert.equal(moved.key, first.key)
  assert.notEqual(planText(domain('"a": { "service": 82 }')).plan.key, first.key)
})

test('plan() derives records, certificates and routes from the hosts', () => {
  const { plan: planned } = planText(domain('"a": { "service": 81 }, "shop": { "alias": "shop.x.net" }'))
  const [zone] = planned.dns.zones
  const rrsets = zone!.rrsets.map(({ owner, type, data, why }) => `${owner} ${type} ${data} (${why})`)
  assert.deepEqual(rrsets, [
    'a.example.com. A 203.0.113.10 (derived from the host)',
    'example.com. NS ns1.example.com. (default)',
    'ns1.example.com. A 203.0.113.10 (default)',
    'shop.example.com. CNAME shop.x.net. (derived from the host)',
  ])
  assert.deepEqual(
    planned.tls.certificates.map(({ names }) => names),
    [['a.example.com']],
  )
  assert.deepEqual(
    planned.http.hosts.map(({ name }) => name),
    ['a.example.com'],
  )
})

test('plan() turns non-ASCII names into A-labels (UTS 46, RFC 5891 §4)', () => {
  const { plan: planned } = planText(domain('"Bücher": { "service": 81 }'))
  assert.equal(planned.http.hosts[0]!.name, 'xn--bcher-kva.example.com')
})

test('plan() on a laptop keeps to loopback, unprivileged ports and .localhost names (RFC 6761 §6.3)', () => {
  const { plan: planned, problems } = planText(domain('"a": { "service": 81 }'), { ...facts, dev: true })
  assert.equal(hasErrors(problems), false)
  assert.deepEqual(
    planned.http.hosts.map(({ name }) => name),
    ['a.example.com', 'a.example.com.localhost'],
  )
  const sockets = planned.listeners.map(({ protocol, address, port }) => `${protocol} ${address} ${port}`)
  assert.deepEqual(sockets, [
    'dns 127.0.0.1 5300',
    'dns ::1 5300',
    'http 127.0.0.1 8080',
    'http ::1 8080',
    'https 127.0.0.1 8443',
    'https ::1 8443',
    'admin 127.0.0.1 9053',
  ])
  assert.equal(planned.dns.zones[1]!.apex, 'example.com.localhost.')
})

test('plan() of 10 000 hosts takes well under the time that a start may take', () => {
  const hosts = Array.from({ length: 10_000 }, (_, i) => `"h${i}": { "service": ${10_000 + (i % 50_000)} }`)
  const startedAt = performance.now()
  const { plan: planned, found } = planText(domain(`${hosts.join(',')}, "*": { "service": 81 }`))
  assert.deepEqual(found, [])
  assert.equal(planned.http.hosts.length, 10_001)
  console.log(`10 000 hosts planned in ${Math.round(performance.now() - startedAt)} ms`)
})
