import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasErrors, type Problem } from '#core/problem.ts'
import { checkText, facts, fileText, placeOf, plantedFaults } from '../../test/planted/planted.ts'
import type { Facts } from './facts.ts'
import type { Plan } from './plan.ts'

/** Plan a text; problems come back as `line code`. */
function planText(text: string, given: Facts = facts): { plan: Plan; problems: Problem[]; found: string[] } {
  const { plan: planned, problems } = checkText(text, given)
  if (planned === null) throw new Error(problems.map((problem) => problem.message).join('\n'))
  return { plan: planned, problems, found: problems.map(({ at, code }) => `${at.line} ${code}`) }
}

/** A file with one domain. */
function domain(hosts: string, records = '', rest = ''): string {
  return `{ "address": ["203.0.113.10"], ${rest}
"domains": { "example.com": { "hosts": {${hosts}},
"records": {${records}} } } }`
}

for (const example of plantedFaults) {
  const { code, level, source, text } = example
  test(`check finds exactly the planted fault ${code}${source === undefined ? '' : ` (${source})`}`, () => {
    const { problems } = checkText(text)
    assert.deepEqual(
      problems.map(({ at, code, level }) => ({ at, code, level })),
      [{ at: placeOf(example), code, level }],
    )
    assert.match(problems[0]!.message, /^.{20,}[.]$/su)
    assert.ok(problems[0]!.fix !== undefined && problems[0]!.fix !== '')
  })
}

/** Faults beside the one example that each code has in test/planted/planted.ts. */
const planted: [string, string, string][] = [
  ['alias to address', domain('"shop": { "alias": "2001:db8::1" }'), '2 dns/cname-to-address'],
  [
    'cname beside a host',
    domain('"w": { "service": 81 }', '"w": { "CNAME": "a.net" }'),
    '3 dns/cname-and-other-data',
  ],
  [
    'written cname at the apex (RFC 1912 §2.4)',
    domain('', '"@": { "CNAME": "a.net" }'),
    '3 dns/cname-at-apex',
  ],
  ['cname loop through a wildcard (RFC 4592 §3.3)', domain('', '"*": { "CNAME": "a" }'), '3 dns/cname-loop'],
  ['host with a hyphen in front', domain('"-a": { "service": 81 }'), '2 dns/host-name-characters'],
  ['alias whose own name is none', domain('"a!b": { "alias": "a.net" }'), '2 dns/host-name-characters'],
  ['backslash at the end (RFC 1035 §5.1)', domain('', '"a\\\\": { "TXT": "x" }'), '3 dns/not-a-name'],
  ['domain as an address', '{ "address": [], "domains": { "203.0.113.7": {} } }', '1 dns/domain-characters'],
  ['mx with a URL', domain('', '"@": { "MX": "10 smtp://mail.example.net" }'), '3 dns/target-characters'],
  ['ttl of the domain (RFC 2181 §8)', '{ "domains": { "example.com": { "ttl": -1 } } }', '1 dns/ttl-range'],
  ['wildcard host (RFC 4592 §2.1.1)', domain('"a.*": { "service": 81 }'), '2 dns/wildcard-not-leftmost'],
  [
    'wildcard hidden by a name below (RFC 4592 §2.2.2)',
    domain('"*": { "service": 81 }', '"_x.m": { "TXT": "x" }'),
    '3 dns/wildcard-does-not-reach',
  ],
  [
    'host at a delegation',
    domain('"dev": { "service": 81 }', '"dev": { "NS": "ns.x.net" }'),
    '2 dns/below-delegation',
  ],
  [
    'record below a DNAME (RFC 6672 §2.4)',
    domain('', '"d": { "DNAME": "x.net" }, "a.d": { "TXT": "x" }'),
    '3 dns/below-delegation',
  ],
  [
    'glue that lacks (RFC 9471 §3.1)',
    domain('', '"dev": { "NS": "ns.dev.example.com" }'),
    '3 dns/glue-missing',
  ],
  [
    'target below an empty non-terminal (RFC 4592 §2.2.2)',
    domain(
      '"*": { "service": 81 }, "b.e": { "service": 81 }, "e": { "service": 81 }',
      '"@": { "MX": "10 a.e.example.com" }',
    ),
    '3 dns/target-without-address',
  ],
  [
    'host in another zone',
    `{ "address": ["203.0.113.10"], "domains": { "example.com": { "hosts": { "a.dev": { "service": 81 } } },
"dev.example.com": {} } }`,
    '1 dns/name-in-other-zone',
  ],
  ['a service at a port of ours', domain('"a": { "service": 443 }'), '2 plan/listener-clash'],
  [
    'two programs on one port',
    domain(
      '"a": { "service": { "run": "a", "port": 9001 } },\n"b": { "service": { "run": "b", "port": 9001 } }',
    ),
    '3 plan/listener-clash',
  ],
  [
    'proxies of a listener that are no network (RFC 4632 §3.1)',
    domain('', '', '"listen": { "http": { "at": ":8080",\n"proxyProtocol": ["10.0.0.0/8",\n"lb"] } },'),
    '3 plan/not-a-network',
  ],
  [
    'one listener twice',
    domain('', '', '"listen": { "http": [":8080",\n":8080"] },'),
    '2 plan/listener-clash',
  ],
  ['an origin with a path', domain('"a": { "service": "http://a.net/b" }'), '2 config/wrong-form'],
  ['no kind', domain('"a": { }'), '2 config/one-kind'],
  [
    'an interim status as an answer (RFC 9110 §15)',
    domain('"a": { "respond": { "status": 103 } }'),
    '2 config/out-of-range',
  ],
  ['a kind from elsewhere', domain('"a": { "proxy_pass": 81 }'), '2 config/unknown-key'],
  [
    'a mistyped required key',
    domain('"a": { "service": { "rn": "node server.js" } }'),
    '2 config/unknown-key',
  ],
  [
    'route with a star inside',
    domain('"a": { "routes": { "/a*b/*": { "service": 81 } } }'),
    '2 http/route-pattern',
  ],
  [
    'route with a bad escape (RFC 3986 §2.1)',
    domain('"a": { "routes": { "/100%": { "service": 81 } } }'),
    '2 http/route-pattern',
  ],
  [
    'redirect to a host without scheme (RFC 3986 §4.2)',
    domain('"a": { "redirect": "//www.example.com" }'),
    '2 http/redirect-target',
  ],
  [
    'field name with a space (RFC 9110 §5.1)',
    domain('"a": { "respond": { "headers": { "X Y": "z" } } }'),
    '2 http/field',
  ],
  ['contact at no domain (RFC 1035 §8)', '{ "contact": "a@b..c", "domains": {} }', '1 dns/empty-label'],
  [
    'network that is a name (RFC 4632 §3.1)',
    '{ "trust": ["proxy.local"], "domains": {} }',
    '1 plan/not-a-network',
  ],
]

for (const [name, text, wanted] of planted) {
  test(`check finds exactly the planted fault: ${name}`, () => {
    assert.deepEqual(planText(text).found, [wanted])
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
      '"_dmarc": { "TXT": "v=DMARC1; p=none" }, "k._domainkey": { "TXT": "v=DKIM1; p=" }',
    ),
  ],
  [
    'delegation with glue',
    domain(
      '',
      '"dev": { "NS": "ns.dev.example.com", "DS": "1 13 2 0000000000000000000000000000000000000000000000000000000000000000" }, "ns.dev": { "A": "192.0.2.1" }',
    ),
  ],
  [
    'two zones, the one delegated from the other',
    `{ "address": ["203.0.113.10"], "domains": {
    "example.com": { "records": { "dev": { "NS": "ns1.dev.example.com", "DS": "1 13 2 ${'0'.repeat(64)}" } } }, "dev.example.com": {} } }`,
  ],
  [
    'sibling glue (RFC 9471 §3.2)',
    domain('', '"a": { "NS": "ns.b.example.com" }, "b": { "NS": "ns.x.net" }, "ns.b": { "A": "192.0.2.1" }'),
  ],
  [
    'address in another spelling (RFC 5952 §4)',
    `{ "address": ["2001:DB8:0::1"], "domains": { "example.com": {
    "hosts": { "a": { "service": 81 } }, "records": { "a": { "AAAA": "2001:db8::1" } } } } }`,
  ],
  [
    'a service beside a listener of another address',
    domain('"a": { "service": 8443 }', '', '"listen": { "https": "203.0.113.10:8443" },'),
  ],
  [
    'no mail and no service (RFC 7505 §3, RFC 2782)',
    domain('', '"@": { "MX": "0 ." }, "_imap._tcp": { "SRV": "0 0 0 ." }'),
  ],
  [
    'a classless reverse zone (RFC 2317 §4)',
    '{ "address": ["203.0.113.10"], "domains": { "0/25.113.0.203.in-addr.arpa": { "records": { "10": { "PTR": "example.com" } } } } }',
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

test('plan() names itself as name server where nobody is named, in NS and SOA (RFC 1035 §3.3.11, §3.3.13, RFC 1912 §2.2)', () => {
  const { plan: planned } = planText('{ "contact": "a.b@example.net", "domains": { "example.com": {} } }')
  const { rrsets, soa } = planned.dns.zones[0]!
  assert.deepEqual(
    rrsets.map(({ owner, type, data }) => `${owner} ${type} ${data}`),
    ['example.com. NS ns1.example.com.', 'ns1.example.com. A 127.0.0.1', 'ns1.example.com. AAAA ::1'],
  )
  assert.equal(soa.mname, 'ns1.example.com.')
  assert.equal(soa.rname, 'a\\.b.example.net.')
  assert.ok(soa.retry < soa.refresh && soa.refresh < soa.expire)
})

test('plan() derives records, certificates and routes from the hosts', () => {
  const { plan: planned } = planText(domain('"a": { "service": 81 }, "shop": { "alias": "shop.x.net" }'))
  const [zone] = planned.dns.zones
  const rrsets = zone!.rrsets.map(({ owner, type, data, why }) => `${owner} ${type} ${data} (${why})`)
  assert.deepEqual(rrsets, [
    'a.example.com. A 203.0.113.10 (derived from the host)',
    'a.example.com. HTTPS 1 . alpn=h2 ipv4hint=203.0.113.10 (derived from the host)',
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

test('plan() tells listeners which peers are proxies, and keeps their id when that changes', () => {
  const listen = (value: string): string => domain('', '', `"listen": { "http": ${value}, "https": "off" },`)
  const [before, after] = ['":8080"', '[{ "at": ":8080", "proxyProtocol": "10.0.0.0/8" }]'].map((value) => {
    return planText(listen(value)).plan.listeners.find(({ protocol }) => protocol === 'http')!
  })
  assert.deepEqual([before!.proxies, after!.proxies], [undefined, ['10.0.0.0/8']])
  assert.equal(before!.id, after!.id)
  assert.notEqual(before!.key, after!.key)
})

test('plan() of 10 000 hosts takes well under the time that a start may take', () => {
  const hosts = Array.from({ length: 10_000 }, (_, i) => `"h${i}": { "service": ${10_000 + (i % 50_000)} }`)
  const startedAt = performance.now()
  const { plan: planned, found } = planText(domain(`${hosts.join(',')}, "*": { "service": 81 }`))
  assert.deepEqual(found, [])
  assert.equal(planned.http.hosts.length, 10_001)
  console.log(`10 000 hosts planned in ${Math.round(performance.now() - startedAt)} ms`)
})

test('plan() keeps redirects to hosts of ours on the laptop', () => {
  const hosts =
    '"@": { "respond": "x" }, "www": { "redirect": "https://example.com" }, "out": { "redirect": "https://example.net/x" }'
  const { plan: planned } = planText(domain(hosts), { ...facts, dev: true })
  const targets = planned.http.hosts.flatMap(({ name, routes }) =>
    routes.flatMap(({ action }) => (action.kind === 'redirect' ? [`${name} ${action.to}`] : [])),
  )
  assert.deepEqual(targets, [
    'www.example.com https://example.com',
    'www.example.com.localhost https://example.com.localhost:8443',
    'out.example.com https://example.net/x',
    'out.example.com.localhost https://example.net/x',
  ])
})

test('plan() tells browsers of HTTPS while it listens, at the owner that its port wants (RFC 9460 §9, §9.1)', () => {
  const serviceOf = (hosts: string, top = '"workers": 1,'): string[] => {
    const { zones } = checkText(fileText({ hosts, top })).plan!.dns
    const found = zones[0]!.rrsets.filter(({ type }) => type === 'HTTPS')
    return found.map(({ owner, data }) => `${owner} ${data.join()}`)
  }
  const host = '"www": { "respond": "x" }, "*": { "respond": "y" }'
  const hint = 'alpn=h2 ipv4hint=203.0.113.10'
  assert.deepEqual(serviceOf(host), [`*.example.com. 1 . ${hint}`, `www.example.com. 1 . ${hint}`])
  assert.deepEqual(serviceOf(host, '"listen": { "https": ":8443" },'), [
    `_8443._https.www.example.com. 1 www.example.com. ${hint}`,
  ])
  assert.deepEqual(serviceOf(host, '"listen": { "https": "off" },'), [])
  assert.deepEqual(serviceOf('"www": { "respond": "x", "http": "serve" }'), [])
})
