import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { silent } from '#core/log.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { peer, run } from '../test/peers.ts'
import { zonePlan } from '../test/zone-fixture.ts'

const dig = peer('dig')
const kdig = peer('kdig')

const zone = zonePlan('example.com.', [
  '@ NS ns1.example.com.',
  '@ A 192.0.2.1',
  '@ MX 10 mail.example.com.',
  '@ HTTPS 1 . alpn=h2,h3',
  '@ CAA 0 issue "ca.example.net"',
  '@ TXT "v=spf1 -all"',
  'ns1 A 192.0.2.2',
  'mail AAAA 2001:db8::25',
  'www CNAME web.example.com.',
  'web CNAME example.com.',
  '_sip._udp SRV 1 2 5060 mail.example.com.',
  '*.wild A 192.0.2.3',
  'cut NS ns.cut.example.com.',
  'ns.cut A 192.0.2.4',
  ...Array.from({ length: 100 }, (_, i) => `fat A 10.0.0.${i}`),
  'odd TYPE65280 \\# 3 616263',
])

const server = createDnsServer({
  zones: compileZones([zone], new Map([[zone.id, 42]])),
  limits: { udpPayload: 1232, tcpConnections: 16, tcpIdleMs: 5000 },
  log: silent,
})
let port = 0

before(async () => {
  port = (await server.listen('127.0.0.1', 0)).port
})
after(() => server.close())

async function ask(command: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(command, ['@127.0.0.1', '-p', String(port), ...args])
  return stdout
}

/** What must stand in what dig prints, and what must not. */
type Case = {
  readonly ask: readonly string[]
  readonly has: readonly RegExp[]
  readonly not?: readonly RegExp[]
}

const ANSWERS: readonly Case[] = [
  {
    ask: ['example.com', 'A'],
    has: [/status: NOERROR/, /flags: qr aa rd;/, /^example\.com\.\t+3600\tIN\tA\t192\.0\.2\.1$/m],
  },
  { ask: ['mail.example.com', 'AAAA'], has: [/AAAA\t2001:db8::25/] },
  {
    ask: ['example.com', 'SOA'],
    has: [/SOA\tns1\.example\.com\. hostmaster\.example\.com\. 42 10800 3600 1209600 300/],
  },
  { ask: ['example.com', 'NS'], has: [/NS\tns1\.example\.com\./, /ADDITIONAL: 2/] },
  {
    ask: ['example.com', 'MX'],
    has: [/MX\t10 mail\.example\.com\./, /^mail\.example\.com\.\t+3600\tIN\tAAAA/m],
  },
  { ask: ['example.com', 'HTTPS'], has: [/HTTPS\t1 \. alpn="h2,h3"/] },
  { ask: ['example.com', 'CAA'], has: [/CAA\t0 issue "ca\.example\.net"/] },
  { ask: ['example.com', 'TXT'], has: [/TXT\t"v=spf1 -all"/] },
  { ask: ['_sip._udp.example.com', 'SRV'], has: [/SRV\t1 2 5060 mail\.example\.com\./] },
  { ask: ['odd.example.com', 'TYPE65280'], has: [/TYPE65280 \\# 3 616263/] },
  {
    ask: ['WWW.example.COM', 'A'],
    has: [/ANSWER: 3/, /^WWW\.example\.COM\.\s+3600\tIN\tCNAME\tweb\.example\.com\.$/im],
  },
  { ask: ['any.wild.example.com', 'A'], has: [/^any\.wild\.example\.com\.\s+3600\tIN\tA\t192\.0\.2\.3$/m] },
  {
    ask: ['wild.example.com', 'A'],
    has: [/status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/, /^example\.com\.\t+300\tIN\tSOA/m],
  },
  { ask: ['none.example.com', 'A'], has: [/status: NXDOMAIN/, /flags: qr aa rd;/, /AUTHORITY: 1/] },
  {
    ask: ['x.cut.example.com', 'A'],
    has: [/flags: qr rd;/, /AUTHORITY: 1/, /^ns\.cut\.example\.com\.\s+3600\tIN\tA/m],
  },
  { ask: ['example.org', 'A'], has: [/status: REFUSED/] },
  { ask: ['example.com', 'ANY'], has: [/status: NOERROR/, /ANSWER: 1,/] },
  { ask: ['version.bind', 'CH', 'TXT'], has: [/status: REFUSED/] },
  { ask: ['example.com', 'AXFR'], has: [/Transfer failed/] },
]

const PROTOCOL: readonly Case[] = [
  { ask: ['fat.example.com', 'A', '+tcp'], has: [/ANSWER: 100/] },
  { ask: ['fat.example.com', 'A', '+ignore'], has: [/flags: qr aa tc rd;/, /ANSWER: 0/] },
  { ask: ['fat.example.com', 'A'], has: [/ANSWER: 100/, /\(TCP\)/] },
  { ask: ['fat.example.com', 'A', '+bufsize=4096', '+ignore'], has: [/flags: qr aa tc rd;/] },
  { ask: ['example.com', '+noedns'], has: [/ADDITIONAL: 0/], not: [/EDNS/] },
  { ask: ['example.com', '+dnssec'], has: [/EDNS: version: 0, flags: do; udp: 1232/] },
  {
    ask: ['example.com', '+edns=1', '+noednsneg'],
    has: [/status: BADVERS/, /EDNS: version: 0/, /ANSWER: 0/],
  },
  { ask: ['example.com', '+ednsopt=100:1234'], has: [/status: NOERROR/, /ANSWER: 1/], not: [/OPT=100/] },
  { ask: ['example.com', '+ednsflags=0x40'], has: [/status: NOERROR/, /EDNS: version: 0, flags:; udp/] },
  { ask: ['example.com', '+cookie', '+nsid'], has: [/status: NOERROR/, /ANSWER: 1/] },
  {
    ask: ['example.com', '+opcode=15', '+header-only'],
    has: [/opcode: RESERVED15, status: NOTIMP/, /QUERY: 0/],
  },
  { ask: ['example.com', '+opcode=notify'], has: [/opcode: NOTIFY, status: NOTIMP/] },
  { ask: ['example.com', '+zflag'], has: [/status: NOERROR/], not: [/MBZ/] },
  { ask: ['example.com', '+cdflag', '+adflag'], has: [/flags: qr aa rd;/] },
  { ask: ['example.com', 'TYPE1000'], has: [/status: NOERROR/, /ANSWER: 0, AUTHORITY: 1/] },
]

describe('dig reads what Portico answers', { skip: dig === undefined && 'needs dig' }, () => {
  for (const { ask: args, has, not = [] } of [...ANSWERS, ...PROTOCOL]) {
    test(`dig ${args.join(' ')}`, async () => {
      const said = await ask(dig!, '+tries=1', '+timeout=3', ...args)
      for (const pattern of has) assert.match(said, pattern)
      for (const pattern of not) assert.doesNotMatch(said, pattern)
      assert.doesNotMatch(said, /malformed|bad packet|WARNING: Message/i)
    })
  }
})

describe('kdig reads what Portico answers', { skip: kdig === undefined && 'needs kdig' }, () => {
  test('many queries over one connection (RFC 7766 §6.2.1)', async () => {
    const names = Array.from({ length: 20 }, (_, i) => [`h${i}.wild.example.com`, 'A']).flat()
    const said = await ask(kdig!, '+tcp', '+keepopen', ...names)
    assert.equal(said.match(/192\.0\.2\.3/g)?.length, 20)
    assert.doesNotMatch(said, /WARNING|ERROR: /)
  })

  test('every answer that dig reads, without a warning', async () => {
    for (const { ask: args } of ANSWERS.filter(({ ask: [, type] }) => type !== 'AXFR')) {
      const said = await ask(kdig!, '+retry=0', ...args)
      assert.match(said, /status: (NOERROR|NXDOMAIN|REFUSED)/, args.join(' '))
      assert.doesNotMatch(said, /WARNING|ERROR: |malformed/, args.join(' '))
    }
  })
})
