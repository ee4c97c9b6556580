import { loadText } from '#config/load.ts'
import type { Position, Problem } from '#core/problem.ts'
import type { Facts } from '#plan/facts.ts'
import { type Plan, plan } from '#plan/plan.ts'
import { bucketFaults } from './buckets.ts'
import type { Fault, Parts, Planted } from './fault.ts'
import { liveFaults } from './live.ts'
import { ruleFaults } from './rules.ts'
import { steeringFaults } from './steering.ts'
import { streamFaults } from './streams.ts'

/** A machine without public addresses: what a file says is all there is. */
export const facts: Facts = {
  dev: false,
  addresses: [],
  secrets: [{ file: './missing.secret', fault: 'missing' }],
  paths: [
    { kind: 'file', path: './missing.html', fault: 'does not exist' },
    { kind: 'folder', path: './missing', fault: 'does not exist' },
  ],
}

/** The text of a file with one domain. */
export function fileText({ hosts, records, top, domain }: Parts): string {
  const inside = [
    domain,
    hosts === undefined ? undefined : `"hosts": { ${hosts} }`,
    records === undefined ? undefined : `"records": { ${records} }`,
  ].filter((part) => part !== undefined)
  const lines = ['"address": ["203.0.113.10"],', ...(top === undefined ? [] : [top]), '"domains": {']
  return `{\n  ${lines.join('\n  ')}\n    "example.com": {\n      ${inside.join(',\n      ')}\n    }\n  }\n}`
}

/** Read and plan a text, as `portico check` does. */
export function checkText(text: string, given: Facts = facts): { plan: Plan | null; problems: Problem[] } {
  const { config, problems } = loadText('portico.jsonc', text)
  if (config === null) return { plan: null, problems }
  const planned = plan(config, given)
  const all = [...problems, ...planned.problems]
  // Until Portico asks an authority itself, each file that names one is told so: here only when nothing else is wrong.
  const telling = all.filter(({ code }) => code !== 'tls/issuer-later')
  return { plan: planned.plan, problems: telling.length === 0 ? all : telling }
}

/** Where the fault of an example stands. */
export function placeOf({ text, where }: Planted): Position {
  const before = text.slice(0, text.indexOf(where)).split('\n')
  return { file: 'portico.jsonc', line: before.length, column: before.at(-1)!.length + 1 }
}

function planted(faults: readonly Fault[]): Planted[] {
  return faults.map(({ code, level, why, source, where, ...rest }): Planted => {
    const text = 'text' in rest ? rest.text : fileText(rest)
    return { code, level: level ?? 'error', why, ...(source === undefined ? {} : { source }), text, where }
  })
}

const LONG = 'a'.repeat(64)

/** One example for each code that `portico check` can print, by service. */
export const plantedFaults: readonly Planted[] = planted([
  {
    code: 'config/syntax',
    why: 'The file is JSON with comments and trailing commas.',
    source: 'RFC 8259',
    text: '{\n  "domains": {}\n  "state": "./state"\n}',
    where: '"state"',
  },
  {
    code: 'config/duplicate-key',
    why: 'Of two equal keys one would be lost without a word.',
    source: 'RFC 8259 §4',
    text: fileText({ hosts: '"a": { "service": 8081 },\n        "a": { "service": 8082 }' }).replace(
      '"a": { "service": 8082 }',
      '"a" : { "service": 8082 }',
    ),
    where: '"a" :',
  },
  {
    code: 'config/unknown-key',
    why: 'A key that nobody reads is a typing mistake.',
    hosts: '"a": { "servce": 8081 }',
    where: '"servce"',
  },
  {
    code: 'config/missing-key',
    why: 'Without this key the rest means nothing.',
    text: '{ "address": ["203.0.113.10"] }',
    where: '{',
  },
  {
    code: 'config/one-kind',
    why: 'A host, and a route, has exactly one kind.',
    hosts: '"a": { "service": 8081, "files": "./public" }',
    where: '{ "service"',
  },
  {
    code: 'config/wrong-type',
    why: 'The value has another JSON type than the setting.',
    hosts: '"a": { "files": true }',
    where: 'true',
  },
  {
    code: 'config/wrong-form',
    why: 'The text does not look as the setting wants it.',
    hosts: '"a": { "service": "127.0.0.1:8081" }',
    where: '"127.0.0.1:8081"',
  },
  {
    code: 'config/unknown-value',
    why: 'The setting has a list of values, and this is none of them.',
    hosts: '"a": { "service": 8081, "http": "server" }',
    where: '"server"',
  },
  {
    code: 'config/out-of-range',
    why: 'The value is below the least or above the most that the setting takes.',
    hosts: '"a": { "service": 80810 }',
    where: '80810',
  },
  {
    code: 'config/size-without-unit',
    why: 'A bare number leaves open whether octets or megabytes are meant.',
    top: '"limits": { "http": { "body": 500 } },',
    where: '500',
  },
  {
    code: 'config/duration-without-unit',
    why: 'A bare number leaves open whether seconds or milliseconds are meant.',
    top: '"limits": { "http": { "idleTimeout": 5 } },',
    where: '5 }',
  },
  {
    code: 'dns/empty-label',
    why: 'A label has 1 to 63 octets.',
    source: 'RFC 1035 §2.3.1',
    hosts: '"a..b": { "service": 8081 }',
    where: '"a..b"',
  },
  {
    code: 'dns/not-a-name',
    why: 'The text has no form in DNS: a space, an escape that leads nowhere, or letters that UTS 46 refuses.',
    source: 'RFC 1035 §5.1, RFC 5891 §4',
    hosts: '"a b": { "service": 8081 }',
    where: '"a b"',
  },
  {
    code: 'dns/label-too-long',
    why: 'A label has at most 63 octets; letters outside ASCII take more than one.',
    source: 'RFC 1035 §2.3.4',
    hosts: `"${LONG}": { "service": 8081 }`,
    where: `"${LONG}"`,
  },
  {
    code: 'dns/name-too-long',
    why: 'A name has at most 253 octets, its domain and the dots counted.',
    source: 'RFC 1035 §2.3.4',
    hosts: `"${`${'a'.repeat(60)}.`.repeat(4)}b": { "service": 8081 }`,
    where: '"aaa',
  },
  {
    code: 'dns/out-of-zone',
    why: 'A zone holds names below its apex only.',
    source: 'RFC 1034 §4.2',
    records: '"a.example.net.": { "TXT": "x" }',
    where: '"a.example.net."',
  },
  {
    code: 'dns/domain-in-name',
    level: 'warning',
    why: 'Names of hosts and owners are written without their domain.',
    hosts: '"a.example.com": { "service": 8081 }',
    where: '"a.example.com"',
  },
  {
    code: 'dns/domain-twice',
    why: 'One domain written in two ways would have two zones.',
    source: 'RFC 4343 §2',
    text: '{\n  "address": ["203.0.113.10"],\n  "domains": { "example.com": {}, "Example.COM": {} }\n}',
    where: '"Example.COM"',
  },
  {
    code: 'dns/domain-characters',
    why: 'A domain is a name that hosts can stand below; a URL or an address is none.',
    source: 'RFC 1123 §2.1',
    text: '{\n  "address": ["203.0.113.10"],\n  "domains": { "https://example.com": {} }\n}',
    where: '"https',
  },
  {
    code: 'dns/transfer-to-anyone',
    why: 'A zone lists every name of a network, which not everyone needs to know.',
    source: 'RFC 5936 §5',
    domain: '"transfer": { "notify": "192.0.2.53" }',
    where: '{ "notify"',
  },
  {
    code: 'dns/unknown-key',
    why: 'A key that is not there signs nothing.',
    domain: '"transfer": { "key": "other" }',
    where: '"other"',
  },
  {
    code: 'dns/not-a-network',
    why: 'Who may copy a zone is known by address.',
    source: 'RFC 4632 §3.1',
    domain: '"transfer": { "to": "ns.example.net" }',
    where: '"ns.example.net"',
  },
  {
    code: 'dns/not-a-server',
    why: 'Other name servers are called by their addresses: their names may stand in the very zone.',
    domain: '"secondary": { "from": "ns.example.net" }',
    where: '"ns.example.net"',
  },
  {
    code: 'dns/secondary-with-own',
    why: 'A copy is what its primary says, and nothing else.',
    source: 'RFC 1034 §4.3.5',
    domain: '"secondary": { "from": "192.0.2.1" }',
    records: '"www": { "A": "203.0.113.7" }',
    where: '{ "www"',
  },
  {
    code: 'dns/host-twice',
    why: 'One host written in two ways would have two answers.',
    source: 'RFC 4343 §2',
    hosts: '"a": { "service": 8081 }, "A": { "service": 8082 }',
    where: '"A"',
  },
  {
    code: 'dns/name-in-other-zone',
    why: 'The closest zone answers for a name, so what another one says of it is never asked for.',
    source: 'RFC 1034 §4.3.2',
    text: `{
  "address": ["203.0.113.10"],
  "domains": {
    "example.com": { "records": { "a.dev": { "TXT": "x" } } },
    "dev.example.com": {}
  }
}`,
    where: '"x"',
  },
  {
    code: 'dns/host-name-characters',
    why: 'Names of hosts are letters, digits and "-" inside.',
    source: 'RFC 1123 §2.1',
    hosts: '"a!b": { "service": 8081 }',
    where: '"a!b"',
  },
  {
    code: 'dns/underscore-on-address',
    level: 'warning',
    why: 'Names with "_" are for records such as SRV; browsers and certificate authorities refuse them on hosts.',
    source: 'RFC 8552 §1.1',
    hosts: '"a_b": { "service": 8081 }',
    where: '"a_b"',
  },
  {
    code: 'dns/wildcard-not-leftmost',
    why: 'Only a leftmost "*" stands for other names.',
    source: 'RFC 4592 §2.1.1',
    records: '"a.*": { "TXT": "x" }',
    where: '"x"',
  },
  {
    code: 'dns/wildcard-does-not-reach',
    level: 'warning',
    why: 'A wildcard answers for names that do not exist; a record of any type makes a name exist.',
    source: 'RFC 4592 §2.2.1',
    hosts: '"*": { "service": 8081 }',
    records: '"news": { "MX": "10 mail.example.net" }',
    where: '"10 mail',
  },
  {
    code: 'dns/cname-to-address',
    why: 'A CNAME names another host.',
    source: 'RFC 1035 §3.3.1',
    records: '"www": { "CNAME": "203.0.113.7" }',
    where: '"203.0.113.7"',
  },
  {
    code: 'dns/cname-and-other-data',
    why: 'Resolvers follow the CNAME and never see the rest.',
    source: 'RFC 1034 §3.6.2',
    records: '"www": { "CNAME": "www.example.net", "TXT": "x" }',
    where: '"www.example.net"',
  },
  {
    code: 'dns/cname-at-apex',
    why: 'The apex has SOA and NS, and a CNAME stands alone.',
    source: 'RFC 1912 §2.4',
    hosts: '"@": { "alias": "shop.example.net" }',
    where: '"@"',
  },
  {
    code: 'dns/several-cnames',
    why: 'A name has one canonical name.',
    source: 'RFC 2181 §10.1',
    records: '"www": { "CNAME": ["a.example.net", "b.example.net"] }',
    where: '"b.example',
  },
  {
    code: 'dns/cname-loop',
    why: 'A chain of aliases that comes back to itself has no end.',
    source: 'RFC 1034 §3.6.2',
    records: '"a": { "CNAME": "b" }, "b": { "CNAME": "a" }',
    where: '"b" }',
  },
  {
    code: 'dns/target-is-address',
    why: 'MX, NS and SRV name a host.',
    source: 'RFC 1035 §3.3.9',
    records: '"@": { "MX": "10 192.0.2.1" }',
    where: '"10',
  },
  {
    code: 'dns/target-characters',
    why: 'What an alias, MX, NS or SRV leads to is a host, without scheme, port or path.',
    source: 'RFC 1123 §2.1',
    hosts: '"shop": { "alias": "https://shop.example.net" }',
    where: '"shop"',
  },
  {
    code: 'dns/mx-target-is-alias',
    why: 'Senders of mail look for the address of the target itself.',
    source: 'RFC 2181 §10.3',
    hosts: '"mail": { "alias": "mail.example.net" }',
    records: '"@": { "MX": "10 mail" }',
    where: '"10 mail"',
  },
  {
    code: 'dns/ns-target-is-alias',
    why: 'Resolvers look for the address of the name server itself.',
    source: 'RFC 2181 §10.3',
    hosts: '"ns1": { "alias": "ns.example.net" }',
    records: '"@": { "NS": ["ns1", "ns2.example.net"] }',
    where: '"ns1",',
  },
  {
    code: 'dns/srv-target-is-alias',
    why: 'Clients look for the address of the target itself.',
    source: 'RFC 2782',
    hosts: '"chat": { "alias": "chat.example.net" }',
    records: '"_xmpp-server._tcp": { "SRV": "0 5 5269 chat" }',
    where: '"0 5',
  },
  {
    code: 'dns/target-without-address',
    level: 'warning',
    why: 'A target of MX, NS or SRV in a domain of this file has no address there: mail and calls go nowhere.',
    source: 'RFC 5321 §5.1',
    records: '"@": { "MX": "10 mail" }',
    where: '"10 mail"',
  },
  {
    code: 'dns/no-name-server',
    why: 'A zone has at least one name server.',
    source: 'RFC 1034 §4.2.1',
    records: '"@": { "NS": [] }',
    where: '"example.com"',
  },
  {
    code: 'dns/below-delegation',
    why: 'What stands below a delegation, or below a DNAME, is asked for elsewhere.',
    source: 'RFC 1034 §4.2.1, RFC 6672 §2.4',
    hosts: '"a.dev": { "service": 8081 }',
    records: '"dev": { "NS": "ns.example.net" }',
    where: '"a.dev"',
  },
  {
    code: 'dns/duplicate-record',
    why: 'An RRset has no doubles.',
    source: 'RFC 2181 §5',
    records: '"@": { "MX": ["10 mail.example.net", "10 MAIL.example.net"] }',
    where: '"10 MAIL',
  },
  {
    code: 'dns/ttl-range',
    why: 'A TTL has 31 bits.',
    source: 'RFC 2181 §8',
    records: '"a": { "A": { "data": "192.0.2.1", "ttl": 2147483648 } }',
    where: '"192.0.2.1"',
  },
  {
    code: 'dns/ttl-differs',
    why: 'Records of one RRset share one TTL.',
    source: 'RFC 2181 §5.2',
    records: '"a": { "TXT": ["x", { "data": "y", "ttl": 60 }] }',
    where: '"y"',
  },
  {
    code: 'dns/record-data',
    why: 'The data is not in the form of its type.',
    source: 'RFC 1035 §5.1',
    records: '"a": { "A": "198.51.100.256" }',
    where: '"198.51.100.256"',
  },
  {
    code: 'dns/txt-split',
    level: 'warning',
    why: 'One string of a TXT record holds 255 octets; a longer text is sent as several, which readers of SPF and DKIM join.',
    source: 'RFC 7208 §3.3',
    records: `"key": { "TXT": "${'k'.repeat(300)}" }`,
    where: '"kkk',
  },
  {
    code: 'dns/several-spf',
    why: 'Of several SPF records receivers take none.',
    source: 'RFC 7208 §4.5',
    records: '"@": { "TXT": ["v=spf1 mx -all", "v=spf1 a -all"] }',
    where: '"v=spf1 a',
  },
  {
    code: 'dns/unknown-type',
    why: 'There is no record type of that name.',
    source: 'RFC 3597 §5',
    records: '"@": { "TXTT": "x" }',
    where: '"TXTT"',
  },
  {
    code: 'dns/meta-type',
    why: 'Some types stand in queries and messages only.',
    source: 'RFC 6895 §3.1',
    records: '"@": { "ANY": "x" }',
    where: '"ANY"',
  },
  {
    code: 'dns/soa-is-derived',
    why: 'Portico keeps the serial: it grows when the zone changes.',
    records: '"@": { "SOA": "x" }',
    where: '"SOA"',
  },
  ...ruleFaults.filter(({ code }) => code.startsWith('dns/')),
  ...steeringFaults,
  {
    code: 'http/command',
    why: 'A command is split into words, and no shell reads it.',
    hosts: '"a": { "service": { "run": "npm start | tee log" } }',
    where: '"a"',
  },
  {
    code: 'http/origin-url',
    why: 'An origin has a host and a port.',
    source: 'RFC 3986 §3.2.2',
    hosts: '"a": { "service": "http://127.0.0.1:80810" }',
    where: '"a"',
  },
  {
    code: 'http/health-times',
    why: 'A check that may take longer than the time to the next one says nothing in time.',
    hosts: '"a": { "service": { "url": "http://10.0.0.5:80", "health": { "path": "/", "interval": "1s" } } }',
    where: '"a"',
  },
  {
    code: 'http/client-certificate',
    why: 'A certificate is of no use without its key, nor a key without its certificate.',
    hosts: '"a": { "service": { "url": "https://10.0.0.5", "tls": { "certificate": "./client.pem" } } }',
    where: '"a"',
  },
  {
    code: 'http/tls-unused',
    level: 'warning',
    why: 'Over plain HTTP nothing is encrypted, whatever stands in "tls".',
    hosts: '"a": { "service": { "url": "http://10.0.0.5:80", "tls": { "ca": "./ca.pem" } } }',
    where: '"a"',
  },
  {
    code: 'http/proxy-protocol-tls',
    why: "The client's address would have to stand before the handshake, which Portico does not do; connections of HTTP/2 are shared by clients.",
    hosts: '"a": { "service": { "url": "https://10.0.0.5", "proxyProtocol": 2 } }',
    where: '"a"',
  },
  {
    code: 'http/route-pattern',
    why: 'The pattern matches no path, or not what it seems to.',
    source: 'RFC 3986 §3.3',
    hosts: '"a": { "routes": { "api": { "service": 8081 } } }',
    where: '"api"',
  },
  {
    code: 'http/routes-tie',
    why: 'The more specific route wins; of two that match the same paths none is.',
    hosts: '"a": { "routes": { "/a%62": { "service": 8081 }, "/ab": { "service": 8082 } } }',
    where: '"/ab"',
  },
  {
    code: 'http/redirect-target',
    why: 'Browsers take a target without scheme for a path.',
    source: 'RFC 9110 §10.2.2',
    hosts: '"a": { "redirect": "www.example.com" }',
    where: '"a"',
  },
  {
    code: 'http/field',
    why: 'A name with a space or a value with a line end would break the message, or add fields to it.',
    source: 'RFC 9110 §5.1, §5.5',
    hosts: '"a": { "respond": { "headers": { "X-Note": "one\\ntwo" } } }',
    where: '"a"',
  },
  {
    code: 'http/field-left-out',
    level: 'warning',
    why: 'Some fields belong to the connection, and only Portico knows what they must say.',
    source: 'RFC 9110 §7.6.1',
    hosts: '"a": { "respond": { "headers": { "Content-Length": "5" }, "body": "Hello" } }',
    where: '"a"',
  },
  {
    code: 'access/not-a-network',
    why: 'An entry that matches no address would keep everyone out, or nobody.',
    source: 'RFC 4632 §3.1',
    hosts: '"a": { "service": 8081, "access": { "allow": ["10.0.0.0/8", "10.0.0.256"] } }',
    where: '"10.0.0.256"',
  },
  {
    code: 'access/allowed-and-denied',
    why: 'The longest prefix decides; of two equal ones neither would.',
    hosts: '"a": { "service": 8081, "access": { "allow": "10.0.0.0/8", "deny": ["10.1.1.1/8"] } }',
    where: '"10.1.1.1/8"',
  },
  {
    code: 'access/user-name',
    why: 'A browser sends name and password with a colon between, so a name with one is cut there.',
    source: 'RFC 7617 §2',
    hosts: '"a": { "service": 8081, "access": { "basic": { "users": { "ann:b": "x" } } } }',
    where: '"ann:b"',
  },
  {
    code: 'access/password-form',
    why: 'Files are copied and shown around; only a hash that is costly to guess may stand in one.',
    hosts:
      '"a": { "routes": { "/b": { "service": 8081, "access": { "basic": { "users": { "ann": "open sesame" } } } } } }',
    where: '"ann"',
  },
  {
    code: 'http/rate-after-alone',
    why: 'What goes at once says nothing without how fast the rest goes.',
    hosts: '"a": { "service": 8081, "limits": { "rateAfter": "5MB" } }',
    where: '"rateAfter"',
  },
  {
    code: 'access/burst-alone',
    why: 'How much may come at once says nothing without how fast it may come after.',
    hosts: '"a": { "service": 8081, "limits": { "burst": 20 } }',
    where: '"burst"',
  },
  {
    code: 'access/url',
    why: 'Nobody can be asked at a URL that leads nowhere.',
    source: 'RFC 3986 §3.2.2',
    hosts: '"a": { "service": 8081, "access": { "forward": { "url": "http://127.0.0.1:90910/" } } }',
    where: '"url"',
  },
  {
    code: 'access/field-name',
    why: 'A field that Portico writes itself cannot come from elsewhere as well.',
    source: 'RFC 9110 §5.1, §7.6.1',
    hosts:
      '"a": { "service": 8081, "access": { "forward": { "url": "http://127.0.0.1:9091/", "copy": ["Content-Length"] } } }',
    where: '"Content-Length"',
  },
  {
    code: 'access/in-clear',
    level: 'warning',
    why: 'A password that is sent in clear text is everyone’s.',
    source: 'RFC 7617 §4, RFC 6750 §5.3',
    hosts: `"a": { "service": 8081, "http": "serve", "access": { "basic": { "users": {
        "ann": "$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8" } } } }`,
    where: '"a"',
  },
  {
    code: 'http/field-rule',
    why: 'Framing, Host, Via and who asked are what the connection says; a rule that changed them would break requests or lie.',
    source: 'RFC 9110 §7.6.1',
    hosts: '"a": { "service": 8081, "headers": { "request": { "set": { "Host": "b.example" } } } }',
    where: '"Host"',
  },
  {
    code: 'http/unknown-variable',
    why: 'A variable that stands for nothing would be sent as it is written.',
    hosts:
      '"a": { "service": 8081, "headers": { "request": { "set": { "X-Real-IP": "{client.adress}" } } } }',
    where: '"X-Real-IP"',
  },
  {
    code: 'http/rewrite',
    why: 'The path that requests go on with cannot be made of those that the route matches.',
    source: 'RFC 3986 §3.3',
    hosts: '"a": { "routes": { "/old/*": { "service": 8081, "rewrite": "/new/**" } } }',
    where: '"rewrite"',
  },
  {
    code: 'cache/no-service',
    level: 'warning',
    why: 'Only what a service answers is kept; the rest is at hand already.',
    hosts: '"a": { "files": "./public", "cache": true }',
    where: '"cache"',
  },
  {
    code: 'cache/status',
    why: 'Lifetimes are given for statuses, or for a class of them.',
    source: 'RFC 9110 §15',
    hosts: '"a": { "service": 8081, "cache": { "ttl": { "40x": "1m" } } }',
    where: '"40x"',
  },
  {
    code: 'cache/query',
    why: 'Of the parameters of a query either those that count are named, or those that do not.',
    hosts: '"a": { "service": 8081, "cache": { "key": { "query": { "keep": "a", "drop": "b" } } } }',
    where: '"query"',
  },
  {
    code: 'cache/field',
    why: 'A field that cannot be sent would never count.',
    source: 'RFC 9110 §5.1',
    hosts: '"a": { "service": 8081, "cache": { "key": { "headers": "X Device" } } }',
    where: '"headers"',
  },
  ...streamFaults,
  ...liveFaults,
  ...bucketFaults,
  {
    code: 'http/error-status',
    why: 'Only errors have pages: a status from 400 to 599, or all of a class.',
    source: 'RFC 9110 §15.5, §15.6',
    hosts: '"a": { "files": "./public", "errors": { "40x": "./404.html" } }',
    where: '"40x"',
  },
  {
    code: 'plan/file-missing',
    why: 'Nothing starts without a file that it is to use.',
    hosts: '"a": { "service": 8081, "errors": { "404": "./missing.html" } }',
    where: '"./missing.html"',
  },
  {
    code: 'plan/folder-missing',
    level: 'warning',
    why: 'All that is asked for is answered with 404 until there is such a folder.',
    hosts: '"a": { "files": "./missing" }',
    where: '"./missing"',
  },
  {
    code: 'plan/not-an-address',
    why: 'The records of hosts point at these addresses.',
    source: 'RFC 1035 §3.4.1, RFC 3596 §2.2',
    text: '{ "address": ["www.example.com"], "domains": {} }',
    where: '"www',
  },
  {
    code: 'plan/no-address',
    level: 'warning',
    why: 'Without an address hosts are found on this machine only.',
    text: '{\n  "domains": { "example.com": { "hosts": { "www": { "service": 8081 } } } }\n}',
    where: '{',
  },
  {
    code: 'plan/not-a-network',
    why: 'An entry that matches no address would make Portico distrust a proxy, or trust nobody.',
    source: 'RFC 4632 §3.1',
    top: '"trust": ["10.0.0.0/33"],',
    where: '"10.0.0.0/33"',
  },
  {
    code: 'plan/host-without-address',
    why: 'Nobody finds a host without an address.',
    hosts: '"a": { "service": 8081 }',
    records: '"a": { "A": [] }',
    where: '"a"',
  },
  {
    code: 'plan/host-points-elsewhere',
    level: 'warning',
    why: 'A written record wins over the address that follows from the host, so the host here is never asked.',
    hosts: '"a": { "service": 8081 }',
    records: '"a": { "A": "198.51.100.1" }',
    where: '"198.51.100.1"',
  },
  {
    code: 'plan/address-without-host',
    level: 'warning',
    why: 'The name leads here, and whoever opens it gets an error page.',
    records: '"a": { "A": "203.0.113.10" }',
    where: '"203.0.113.10" }',
  },
  {
    code: 'plan/listener-clash',
    why: 'One port of one address has one listener.',
    top: '"listen": { "http": ":8080", "https": "0.0.0.0:8080" },',
    where: '"0.0.0.0:8080"',
  },
  {
    code: 'plan/listener-address',
    why: 'A listener has an address of this machine and a port from 0 to 65535.',
    top: '"listen": { "http": "127.0.0.1:80800" },',
    where: '"127.0.0.1:80800"',
  },
  {
    code: 'tls/certificate-file',
    why: 'A handshake needs a chain and the key that belongs to it.',
    top: '"certificates": { "files": [{ "cert": "./missing.pem", "key": "./missing.key" }] },',
    where: '{ "cert"',
  },
  {
    code: 'tls/wildcard-without-dns',
    level: 'warning',
    why: 'An authority issues for a wildcard when it finds a record that only the name server of the domain can show (RFC 8555 §8.4).',
    hosts: '"*": { "service": 8081 }',
    top: '"certificates": { "issuer": "letsencrypt", "challenges": ["http-01"] },',
    where: '"*"',
  },
  ...ruleFaults.filter(({ code }) => !code.startsWith('dns/')),
])
