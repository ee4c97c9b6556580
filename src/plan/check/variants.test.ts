import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkText, facts, fileText } from '../../../test/planted/planted.ts'

const LETSENCRYPT = '"certificates": { "issuer": "letsencrypt" },'
const GOOGLE = '"certificates": { "issuer": { "acme": "https://dv.acme-v02.api.pki.goog/directory" } },'
const PRIVATE = '"certificates": { "issuer": { "acme": "https://ca.office.example/acme" } },'

type Variant = readonly [what: string, parts: Parameters<typeof fileText>[0], codes: readonly string[]]

/** The same faults as people really make them: derived or written, relative or absolute, in any case, by wildcard, in other letters. */
const variants: readonly Variant[] = [
  [
    'MX to a derived alias, absolute and in capitals',
    { hosts: '"Mail": { "alias": "m.example.net" }', records: '"@": { "MX": "10 MAIL.Example.COM." }' },
    ['dns/mx-target-is-alias'],
  ],
  [
    'MX to an alias by wildcard',
    { hosts: '"*": { "alias": "m.example.net" }', records: '"@": { "MX": "10 mx" }' },
    ['dns/mx-target-is-alias'],
  ],
  [
    'MX to an alias in other letters',
    { hosts: '"pöst": { "alias": "m.example.net" }', records: '"@": { "MX": "10 xn--pst-sna" }' },
    ['dns/mx-target-is-alias'],
  ],
  [
    'MX to a name below a DNAME (RFC 6672 §2.2)',
    { records: '"d": { "DNAME": "x.example.net" }, "@": { "MX": "10 mx.d.example.com" }' },
    ['dns/mx-target-is-alias'],
  ],
  [
    'NS to a written alias',
    { records: '"ns1": { "CNAME": "a.example.net" }, "@": { "NS": ["NS1", "ns2.example.net"] }' },
    ['dns/ns-target-is-alias'],
  ],
  [
    'SRV to an alias',
    { records: '"x": { "CNAME": "a.example.net" }, "_sip._udp": { "SRV": "0 0 5060 X.example.com" }' },
    ['dns/srv-target-is-alias'],
  ],
  [
    'an alias beside a derived address',
    { hosts: '"WWW": { "service": 8081 }', records: '"www": { "CNAME": "a.example.net" }' },
    ['dns/cname-and-other-data'],
  ],
  ['an alias of nothing, derived', { hosts: '"a": { "alias": "b" }' }, ['dns/alias-of-nothing']],
  [
    'an alias of what a wildcard answers (RFC 4592 §3.3)',
    { hosts: '"a": { "alias": "b" }, "*": { "service": 8081 }' },
    [],
  ],
  [
    'no service beside one (RFC 2782)',
    { records: '"_x._tcp": { "SRV": ["0 0 0 .", "0 0 1 a.example.net"] }' },
    ['dns/null-target-not-alone'],
  ],
  [
    'name servers of the domain itself without address (RFC 9471 §3.1)',
    { records: '"@": { "NS": ["ns1", "ns2.example.net"] }' },
    ['dns/glue-missing'],
  ],
  [
    'glue below the cut',
    { records: '"lab": { "NS": "ns.lab.example.com" }, "ns.lab": { "A": "198.51.100.1" }' },
    [],
  ],
  [
    'DS at the apex (RFC 4035 §2.4)',
    { records: '"@": { "DS": "1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a" }' },
    ['dns/ds-place'],
  ],
  ['CDS below the apex (RFC 7344 §4.1)', { records: '"a": { "CDS": "0 0 0 00" }' }, ['dns/apex-only']],
  [
    'a DNAME beside a delegation (RFC 6672 §2.3)',
    { records: '"a": { "NS": "ns.example.net", "DNAME": "x.example.net" }' },
    ['dns/dname'],
  ],
  ['a DNAME into itself (RFC 6672 §2.2)', { records: '"a": { "DNAME": "b.a.example.com" }' }, ['dns/dname']],
  [
    'a DNAME by wildcard (RFC 4592 §4.4)',
    { records: '"*.a": { "DNAME": "x.example.net" }' },
    ['dns/wildcard-delegation'],
  ],
  ['a TTL of the domain (RFC 1912 §2.2)', { domain: '"ttl": "2d"' }, ['dns/ttl-unusual']],
  [
    'a TTL of zero',
    { records: '"a": { "A": { "data": ["198.51.100.1", "198.51.100.2"], "ttl": 0 } }' },
    ['dns/ttl-unusual'],
  ],
  [
    'a private address in IPv6 (RFC 4193 §3)',
    { records: '"a": { "AAAA": "fd12::1" }' },
    ['dns/private-address'],
  ],
  [
    'SRV at the transport alone (RFC 8552 §4.1)',
    { records: '"_tcp": { "SRV": "0 0 1 a.example.net" }' },
    ['dns/underscore-missing'],
  ],
  [
    'TLSA at a host (RFC 6698 §3)',
    {
      hosts: '"a": { "service": 8081 }',
      records: '"a": { "TLSA": "3 1 1 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d" }',
    },
    ['dns/underscore-missing'],
  ],
  [
    'an HTTPS alias with parameters (RFC 9460 §2.4.2)',
    { records: '"a": { "HTTPS": "0 b.example.net alpn=h2" }' },
    ['dns/svcb-alias'],
  ],
  [
    'an HTTPS alias of itself (RFC 9460 §2.4.2)',
    { records: '"a": { "HTTPS": "0 a", "A": "198.51.100.1" }' },
    ['dns/svcb-alias'],
  ],
  [
    'two HTTPS aliases (RFC 9460 §2.4.2)',
    { records: '"a": { "HTTPS": ["0 b.example.net", "0 c.example.net"] }' },
    ['dns/svcb-alias'],
  ],
  [
    'a CAA report that is no URL (RFC 8659 §4.4)',
    { records: '"@": { "CAA": "0 iodef \\"admin@example.com\\"" }' },
    ['dns/caa-value'],
  ],
  [
    'an unknown critical CAA tag (RFC 8659 §4.1)',
    { records: '"@": { "CAA": "128 tbs \\"x\\"" }' },
    ['dns/caa-tag'],
  ],
]

const names: readonly Variant[] = [
  [
    'an instance of a service (RFC 6763 §4.1)',
    { records: '"Web\\\\032Site._http._tcp": { "SRV": "0 0 80 a.example.net" }' },
    [],
  ],
  [
    'letters of several scripts',
    { hosts: '"παράδειγμα": { "service": 8081 }, "日本語": { "service": 8082 }' },
    [],
  ],
  [
    'a DNAME at the apex (RFC 6672 §2.4)',
    {
      records:
        '"@": { "DNAME": "x.example.net", "NS": ["a.example.net", "b.example.net"] }, "a": { "TXT": "x" }',
    },
    ['dns/below-delegation'],
  ],
]

const mail: readonly Variant[] = [
  ['SPF without its space (RFC 7208 §4.5)', { records: '"@": { "TXT": "v=spf1-all" }' }, ['dns/spf-syntax']],
  [
    'SPF without its version (RFC 7208 §4.5)',
    { records: '"@": { "TXT": "spf1 mx -all" }' },
    ['dns/spf-syntax'],
  ],
  [
    'SPF with a bare address (RFC 7208 §5)',
    { records: '"@": { "TXT": "v=spf1 198.51.100.1 -all" }' },
    ['dns/spf-syntax'],
  ],
  [
    'SPF with a prefix that is too long',
    { records: '"@": { "TXT": "v=spf1 ip4:198.51.100.1/33 -all" }' },
    ['dns/spf-syntax'],
  ],
  ['SPF with IPv6 as ip4', { records: '"@": { "TXT": "v=spf1 ip4:2001:db8::1 -all" }' }, ['dns/spf-syntax']],
  [
    'SPF with redirect by colon (RFC 7208 §6)',
    { records: '"@": { "TXT": "v=spf1 redirect:_spf.example.net" }' },
    ['dns/spf-syntax'],
  ],
  [
    'SPF with "all" that means everyone (RFC 7208 §5.1)',
    { records: '"@": { "TXT": "v=spf1 all" }' },
    ['dns/spf-passes-all'],
  ],
  [
    'SPF whose lookups stand in includes of this file (RFC 7208 §4.6.4)',
    {
      records:
        '"@": { "TXT": "v=spf1 include:a.example.com include:b.example.com -all" }, "a": { "TXT": "v=spf1 mx a exists:x.example.net include:c.example.com -all" }, "b": { "TXT": "v=spf1 include:c.example.com a mx -all" }, "c": { "TXT": "v=spf1 a:x.example.net mx:x.example.net -all" }',
    },
    ['dns/spf-lookups'],
  ],
  ['SPF that includes itself', { records: '"@": { "TXT": "v=spf1 include:example.com -all" }' }, []],
  [
    'SPF split in strings (RFC 7208 §3.3)',
    { records: '"@": { "TXT": "\\"v=spf1 pt\\" \\"r -all\\"" }' },
    ['dns/spf-ptr'],
  ],
  ['DMARC by another version', { records: '"_dmarc": { "TXT": "v=dmarc1; p=none" }' }, ['dns/dmarc']],
  ['DMARC at the domain (RFC 9989 §4.7)', { records: '"@": { "TXT": "v=DMARC1; p=none" }' }, ['dns/dmarc']],
  [
    'DMARC twice',
    { records: '"_dmarc": { "TXT": ["v=DMARC1; p=none", "v=DMARC1; p=reject"] }' },
    ['dns/dmarc'],
  ],
  ['DMARC with commas', { records: '"_dmarc": { "TXT": "v=DMARC1, p=none" }' }, ['dns/dmarc']],
  [
    'DMARC with an address that is no URI',
    { records: '"_dmarc": { "TXT": "v=DMARC1; p=none; rua=a@example.com" }' },
    ['dns/dmarc'],
  ],
  [
    'DKIM at no selector (RFC 6376 §3.6.2.1)',
    { records: '"sel": { "TXT": "v=DKIM1; p=AAAA" }' },
    ['dns/dkim-key'],
  ],
  [
    'DKIM twice at a selector (RFC 6376 §3.6.2.2)',
    { records: '"s._domainkey": { "TXT": ["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"] }' },
    ['dns/dkim-key'],
  ],
  [
    'DKIM with the lines of a key file (RFC 6376 §3.6.1)',
    { records: '"s._domainkey": { "TXT": "v=DKIM1; p=-----BEGIN PUBLIC KEY-----" }' },
    ['dns/dkim-key'],
  ],
  [
    'DKIM for SHA-1 alone (RFC 8301 §3.1)',
    { records: '"s._domainkey": { "TXT": "v=DKIM1; h=sha1; p=AAAA" }' },
    ['dns/dkim-key'],
  ],
  [
    'DKIM with 512 bits of RSA (RFC 8301 §3.2)',
    {
      records:
        '"s._domainkey": { "TXT": "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAObxtrQCXc14FTa4Yo/8opC7w1M29ZvyksrPORRip9mDZOAg7a+Ck8wxlCqV+aBs6Pyrm2f8ztV7QySuv2Km0JUCAwEAAQ==" }',
    },
    ['dns/dkim-key'],
  ],
  [
    'DKIM with octets that are no key (RFC 6376 §3.6.1)',
    { records: '"s._domainkey": { "TXT": "v=DKIM1; p=AAAA" }' },
    ['dns/dkim-key'],
  ],
  [
    'DMARC for all mail (RFC 9989 §4.7)',
    { records: '"_dmarc": { "TXT": "v=DMARC1; p=reject; pct=100" }' },
    [],
  ],
  [
    'DKIM with a short Ed25519 key (RFC 8463 §4)',
    { records: '"s._domainkey": { "TXT": "v=DKIM1; k=ed25519; p=AAAA" }' },
    ['dns/dkim-key'],
  ],
  [
    'MTA-STS without id (RFC 8461 §3.1)',
    {
      top: LETSENCRYPT,
      hosts: '"mta-sts": { "files": "./p" }',
      records: '"_mta-sts": { "TXT": "v=STSv1;" }',
    },
    ['dns/mta-sts-record'],
  ],
  [
    'MTA-STS with a redirect (RFC 8461 §3.3)',
    {
      hosts: '"mta-sts": { "redirect": "https://example.net" }',
      records: '"_mta-sts": { "TXT": "v=STSv1; id=1" }',
    },
    ['plan/mta-sts-unserved'],
  ],
  [
    'MTA-STS without a route for its path (RFC 8461 §3.3)',
    {
      hosts: '"mta-sts": { "routes": { "/a": { "files": "./p" } } }',
      records: '"_mta-sts": { "TXT": "v=STSv1; id=1" }',
    },
    ['plan/mta-sts-unserved'],
  ],
  [
    'MTA-STS where nobody listens for HTTPS (RFC 8461 §3.3)',
    {
      top: '"listen": { "https": "off" },',
      hosts: '"mta-sts": { "files": "./p" }',
      records: '"_mta-sts": { "TXT": "v=STSv1; id=1" }',
    },
    ['plan/mta-sts-unserved'],
  ],
  [
    'MTA-STS served by others',
    { hosts: '"mta-sts": { "alias": "sts.example.net" }', records: '"_mta-sts": { "TXT": "v=STSv1; id=1" }' },
    [],
  ],
  [
    'MTA-STS that lasts too long (RFC 8461 §3.2)',
    {
      hosts: '"mta-sts": { "respond": "version: STSv1\\nmode: none\\nmax_age: 99999999\\n" }',
      records: '"_mta-sts": { "TXT": "v=STSv1; id=1" }',
    },
    ['plan/mta-sts-policy'],
  ],
  [
    'TLS-RPT without destination (RFC 8460 §3)',
    { records: '"_smtp._tls": { "TXT": "v=TLSRPTv1" }' },
    ['dns/tls-reports'],
  ],
]

const notes: readonly Variant[] = [
  ['a note about SPF', { records: '"@": { "TXT": "spf is kept by others" }' }, []],
  [
    'SPF that includes a name of a delegation (RFC 7208 §5.2)',
    {
      records:
        '"@": { "TXT": "v=spf1 include:_spf.lab.example.com -all" }, "lab": { "NS": "ns.example.net" }',
    },
    [],
  ],
]

const certificates: readonly Variant[] = [
  [
    'CAA that forbids wildcards alone (RFC 8659 §4.2)',
    {
      top: LETSENCRYPT,
      hosts: '"*": { "service": 8081 }, "a": { "service": 8082 }',
      records: '"@": { "CAA": ["0 issue \\"letsencrypt.org\\"", "0 issuewild \\";\\""] }',
    },
    ['tls/caa-forbids'],
  ],
  [
    'CAA closer to the host (RFC 8659 §3)',
    {
      top: LETSENCRYPT,
      hosts: '"a.b": { "service": 8081 }',
      records: '"@": { "CAA": "0 issue \\";\\"" }, "b": { "CAA": "0 issue \\"LetsEncrypt.org\\"" }',
    },
    [],
  ],
  [
    'CAA for an account of another authority (RFC 8657 §3)',
    {
      top: LETSENCRYPT,
      hosts: '"a": { "service": 8081 }',
      records: '"@": { "CAA": "0 issue \\"letsencrypt.org; accounturi=https://acme.zerossl.com/v2/1\\"" }',
    },
    ['tls/caa-forbids'],
  ],
  [
    'CAA for our account',
    {
      top: LETSENCRYPT,
      hosts: '"a": { "service": 8081 }',
      records:
        '"@": { "CAA": "0 issue \\"letsencrypt.org; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1\\"" }',
    },
    [],
  ],
  [
    'CAA for a method that proves no wildcard (RFC 8657 §4)',
    {
      top: LETSENCRYPT,
      hosts: '"*": { "service": 8081 }',
      records: '"@": { "CAA": "0 issue \\"letsencrypt.org; validationmethods=http-01\\"" }',
    },
    ['tls/caa-forbids'],
  ],
  [
    'CAA for the authority of a directory',
    { top: GOOGLE, hosts: '"a": { "service": 8081 }', records: '"@": { "CAA": "0 issue \\"pki.goog\\"" }' },
    [],
  ],
  [
    'CAA against the authority of a directory',
    {
      top: GOOGLE,
      hosts: '"a": { "service": 8081 }',
      records: '"@": { "CAA": "0 issue \\"letsencrypt.org\\"" }',
    },
    ['tls/caa-forbids'],
  ],
  [
    'CAA and an authority that nobody knows',
    {
      top: PRIVATE,
      hosts: '"a": { "service": 8081 }',
      records: '"@": { "CAA": "0 issue \\"letsencrypt.org\\"" }',
    },
    [],
  ],
  [
    'a challenge by alias, for a name that can be proved otherwise',
    {
      top: LETSENCRYPT,
      hosts: '"a": { "service": 8081 }',
      records: '"_acme-challenge.a": { "CNAME": "a.acme.example.net" }',
    },
    ['tls/challenge-elsewhere'],
  ],
  [
    'a challenge by alias within this file',
    {
      top: LETSENCRYPT,
      hosts: '"*": { "service": 8081 }',
      records: '"_acme-challenge": { "CNAME": "_proof" }, "_proof": { "TXT": "x" }',
    },
    [],
  ],
  [
    'a wildcard without DNS (RFC 8555 §7.4.1)',
    { top: `${LETSENCRYPT} "listen": { "dns": "off" },`, hosts: '"*": { "service": 8081 }' },
    ['tls/wildcard-without-dns'],
  ],
  [
    'a redirect to two labels below a wildcard (RFC 9525 §6.3)',
    {
      hosts: '"*": { "service": 8081 }, "@": { "redirect": "https://a.b.example.com/" }',
    },
    ['tls/wildcard-depth'],
  ],
  [
    'a wildcard at each level',
    {
      hosts: '"*": { "service": 8081 }, "*.b": { "service": 8082 }, "b": { "service": 8082 }',
      records: '"a.b": { "A": "203.0.113.10" }',
    },
    [],
  ],
]

for (const [what, parts, codes] of [...variants, ...names, ...notes, ...mail, ...certificates]) {
  test(`check() judges ${what}`, () => {
    const found = checkText(fileText(parts)).problems.map(({ code }) => code)
    assert.deepEqual(
      found.filter((code) => code !== 'tls/issuer-later'),
      codes,
    )
  })
}

test('a public suffix has no wildcard, and a name below one has', () => {
  const codesOf = (domain: string): string[] => {
    const text = fileText({ hosts: '"*": { "service": 8081 }' }).replace('example.com', domain)
    return checkText(text).problems.map(({ code }) => code)
  }
  assert.deepEqual(codesOf('co.uk'), ['tls/forbidden-wildcard'])
  assert.deepEqual(codesOf('example.co.uk'), [])
  // Whoever has a suffix of their own users may have a certificate for it.
  assert.deepEqual(codesOf('github.io'), [])
})

test('on a laptop nothing is asked of authorities', () => {
  const text = fileText({ top: LETSENCRYPT, hosts: '"*": { "service": 8081 }' }).replace(
    'example.com',
    'office.local',
  )
  assert.deepEqual(checkText(text, { ...facts, dev: true }).problems, [])
})
