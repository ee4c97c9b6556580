import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'

const dig = peer('dig')
const skip = dig === undefined && 'needs dig'

let running: Running

before(async () => {
  if (skip === false) running = await startRunning({ dnssec: true, hosts: { www: { respond: 'x' } } })
})
after(() => running?.stop())

const SOA = /status: NOERROR[\s\S]*flags: qr aa[^c]*;[\s\S]*IN\s+SOA\s/
const OPT = /EDNS: version: 0, flags:;/
const NO_OPT = /^(?![\s\S]*EDNS: version)/

/** Queries, and what must be in the answer; those of RFC 8906 §8.1 and §8.2 in their order. */
const CASES: [section: string, name: string, args: string[], wanted: RegExp[]][] = [
  ['8.1.1', 'a type that is there', ['+noedns', '+noad', '+norec', 'SOA'], [SOA, NO_OPT]],
  [
    '8.1.2',
    'a type nobody knows',
    ['+noedns', '+noad', '+norec', 'TYPE1000'],
    [/status: NOERROR/, /ANSWER: 0/],
  ],
  ['8.1.3', 'CD', ['+noedns', '+noad', '+norec', '+cd', 'SOA'], [SOA]],
  ['8.1.3', 'AD', ['+noedns', '+ad', '+norec', 'SOA'], [/flags: qr aa; QUERY: 1/]],
  [
    '8.1.3',
    'the reserved flag, which is not copied',
    ['+noedns', '+noad', '+norec', '+zflag', 'SOA'],
    [/flags: qr aa; QUERY: 1/],
  ],
  ['8.1.3', 'RD, which is copied', ['+noedns', '+noad', '+rec', 'SOA'], [/flags: qr aa rd; QUERY: 1/]],
  [
    '8.1.4',
    'an opcode nobody knows',
    ['+noedns', '+noad', '+norec', '+opcode=15', '+header-only'],
    [/status: NOTIMP/, /flags: qr;/],
  ],
  ['8.2.1', 'EDNS', ['+edns=0', '+noad', '+norec', 'SOA'], [SOA, OPT]],
  [
    '8.2.2',
    'EDNS version 1',
    ['+edns=1', '+noednsneg', '+noad', '+norec', 'SOA'],
    [/status: BADVERS/, OPT, /ANSWER: 0/],
  ],
  [
    '8.2.3',
    'an option nobody knows',
    ['+edns=0', '+noad', '+norec', '+ednsopt=100', 'SOA'],
    [SOA, OPT, /^(?![\s\S]*OPT=100)/],
  ],
  [
    '8.2.4',
    'a flag nobody knows, which is not copied',
    ['+edns=0', '+noad', '+norec', '+ednsflags=0x40', 'SOA'],
    [SOA, OPT, /^(?![\s\S]*MBZ)/],
  ],
  [
    '8.2.5',
    'version 1 with such a flag',
    ['+edns=1', '+noednsneg', '+noad', '+norec', '+ednsflags=0x40', 'SOA'],
    [/status: BADVERS/, OPT, /^(?![\s\S]*MBZ)/],
  ],
  [
    '8.2.6',
    'version 1 with such an option',
    ['+edns=1', '+noednsneg', '+noad', '+norec', '+ednsopt=100', 'SOA'],
    [/status: BADVERS/, OPT],
  ],
  [
    '8.2.7',
    'what does not fit',
    ['+norec', '+dnssec', '+bufsize=512', '+ignore', 'DNSKEY'],
    [/status: NOERROR/, /EDNS: version: 0, flags: do;/],
  ],
  [
    '8.2.8',
    'DO',
    ['+edns=0', '+noad', '+norec', '+dnssec', 'SOA'],
    [/IN\s+RRSIG\s+SOA 13/, /EDNS: version: 0, flags: do;/],
  ],
  [
    '8.2.9',
    'version 1 with DO',
    ['+edns=1', '+noednsneg', '+noad', '+norec', '+dnssec', 'SOA'],
    [/status: BADVERS/, /ANSWER: 0/],
  ],
  [
    '8.2.10',
    'several options at once',
    ['+edns=0', '+noad', '+norec', '+cookie', '+nsid', '+expire', '+subnet=0.0.0.0/0', 'SOA'],
    [SOA, /COOKIE: .*\(good\)/, /CLIENT-SUBNET: 0\.0\.0\.0\/0\/0/],
  ],
]

for (const transport of ['+notcp', '+tcp']) {
  test(`every question has an answer over ${transport === '+tcp' ? 'TCP' : 'UDP'} (RFC 8906 §8.1, §8.2)`, {
    skip,
  }, async () => {
    const at = ['@127.0.0.1', '-p', `${running.ports.dns}`, '+tries=1', '+time=5', '+nobadcookie']
    for (const [section, name, args, wanted] of CASES) {
      // Cookies are dig's own habit; only one of these asks for them.
      const cookie = args.includes('+cookie') ? [] : ['+nocookie']
      const all = [
        ...at,
        transport,
        ...cookie,
        ...args.slice(0, -1),
        ...(args.at(-1)!.startsWith('+') ? [args.at(-1)!] : ['-q', 'example.com', '-t', args.at(-1)!]),
      ]
      const { stdout } = await run(dig!, all)
      for (const one of wanted) assert.match(stdout, one, `§${section} ${name}: ${all.join(' ')}`)
    }
  })
}

test('UPDATE, NOTIFY, IQUERY and STATUS are answered, and so are classes and transfers of others (RFC 8906 §3.1)', {
  skip,
}, async () => {
  const at = ['@127.0.0.1', '-p', `${running.ports.dns}`, '+tries=1', '+time=5', '+norec']
  const cases: [string[], RegExp][] = [
    [['+opcode=1', 'example.com', 'A'], /status: NOTIMP/],
    [['+opcode=2', 'example.com', 'A'], /status: NOTIMP/],
    [['+opcode=4', 'example.com', 'SOA'], /status: (NOTAUTH|REFUSED)/],
    [['+opcode=5', 'example.com', 'SOA'], /status: (NOTAUTH|REFUSED)/],
    [['-c', 'CH', 'version.bind', 'TXT'], /status: REFUSED/],
    // dig says no status of these.
    [['+notcp', '-q', 'example.com', '-t', 'IXFR=1'], /rcvd: \d+/],
    [['example.org', 'A'], /status: REFUSED/],
    [['example.com', 'ANY'], /status: NOERROR/],
    [['example.com', 'MAILB'], /status: NOTIMP/],
  ]
  for (const [args, wanted] of cases)
    assert.match((await run(dig!, [...at, ...args])).stdout, wanted, args.join(' '))
})
