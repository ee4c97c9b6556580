import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagnose, type MachineFacts } from './doctor.ts'

const from = { file: 'portico.jsonc', line: 1, column: 1 }
const https = {
  id: 'listener:https',
  key: 'k',
  from,
  protocol: 'https',
  address: '0.0.0.0',
  port: 443,
  optional: false,
} as const
const NOW = Date.parse('2026-11-22T12:00:00Z')

/** A machine that nothing is wrong with. */
const healthy: MachineFacts = {
  listeners: [https],
  ports: [],
  freePortsFrom: 1024,
  mayOpenLowPorts: true,
  files: { limit: 65_536, wanted: 33_024 },
  isClockSynchronized: true,
  now: NOW,
  installedAt: NOW - 1000,
  publicAddresses: [],
  addresses: ['203.0.113.10'],
  trust: null,
  certificate: { kind: 'not running', authority: null },
  delegations: [],
}

const taken = {
  side: 'outside',
  transport: 'UDP',
  socket: '0.0.0.0:53',
  use: 'dns',
  names: [],
  state: 'taken',
} as const
const broken = { what: 'delegation of example.com', level: 'error', message: 'nobody is led here.' } as const
const shown = { kind: 'shown', host: 'a', issuer: 'CA', handshakeMs: 12, tookMs: 1500 } as const
const step = { who: 'the system', commands: [['install', 'x']] } as const

const cases: readonly (readonly [what: string, facts: Partial<MachineFacts>, found: RegExp])[] = [
  ['a user without the right', { mayOpenLowPorts: false }, /^error low ports: .*443.*setcap/],
  [
    'a running Portico that has its ports',
    {
      mayOpenLowPorts: false,
      ports: [
        { ...taken, transport: 'TCP', socket: '0.0.0.0:443', state: 'listens', holder: 'process 1 (node)' },
      ],
    },
    /^ok low ports/,
  ],
  [
    'a system that lets everyone open low ports',
    { mayOpenLowPorts: false, freePortsFrom: 0 },
    /^ok low ports/,
  ],
  [
    'a port that is taken',
    { ports: [{ ...taken, holder: 'process 812 (named)' }] },
    /^error UDP 0\.0\.0\.0:53: .*process 812 \(named\)/,
  ],
  [
    'systemd-resolved on 53',
    { ports: [{ ...taken, holder: 'process 1 (systemd-resolve)' }] },
    /^error UDP 0\.0\.0\.0:53: .*DNSStubListener=no/,
  ],
  ['few open files', { files: { limit: 1024, wanted: 33_024 } }, /^warning open files: .*LimitNOFILE=33024/],
  ['a clock that nothing keeps', { isClockSynchronized: false }, /^warning clock: .*set-ntp/],
  ['a clock before the program', { installedAt: NOW + 1000 }, /^error clock/],
  ['IPv6 without records', { publicAddresses: ['2001:db8::1'] }, /^warning IPv6: .*add "2001:db8::1"/],
  ['records without IPv6', { addresses: ['2001:db8::1'] }, /^warning IPv6: .*take "2001:db8::1" out/],
  [
    'a root that nobody knows',
    { trust: [{ ...step, outcome: 'to do' }] },
    /^warning trust of the system: .*portico trust/,
  ],
  ['a root that is known', { trust: [{ ...step, outcome: 'nothing to do' }] }, /^ok trust of the system/],
  ['no root yet', { trust: 'no root yet' }, /^unknown trust/],
  ['a broken delegation', { delegations: [broken] }, /^error delegation of example\.com/],
  [
    'an authority that waits for the delegation',
    {
      delegations: [broken],
      certificate: { kind: 'not running', authority: { host: 'ca.test', answer: 100 } },
    },
    /^warning certificate: .*delegation of example\.com/,
  ],
  ['a certificate that is over', { certificate: { ...shown, validTo: NOW - 1 } }, /^error certificate/],
  [
    'a certificate of minutes',
    { certificate: { ...shown, validTo: NOW + 120_000 } },
    /^ok certificate: a shows one of CA, 1\.5 s after its order, good for 2m; the handshake took 12 ms\./,
  ],
  [
    'how long an authority takes',
    { certificate: { kind: 'not running', authority: { host: 'ca.test', answer: 100 } } },
    /^ok certificate: ca\.test answers in 100 ms, so the first is there some 2\.2 s after the start\./,
  ],
  [
    'an authority that does not answer',
    { certificate: { kind: 'not running', authority: { host: 'ca.test', answer: 'refused' } } },
    /^error certificate: ca\.test cannot be asked for one from here: refused\./,
  ],
  [
    'a handshake that fails',
    { certificate: { kind: 'failed', host: 'a', why: 'ECONNRESET' } },
    /^error certificate: a shows none: ECONNRESET/,
  ],
]

for (const [what, facts, expected] of cases) {
  test(`diagnose() tells ${what}`, () => {
    const lines = diagnose({ ...healthy, ...facts }).map(
      ({ what: thing, level, message, fix = '' }) => `${level} ${thing}: ${message} ${fix}`,
    )
    assert.ok(
      lines.some((line) => expected.test(line)),
      lines.join('\n'),
    )
  })
}

test('diagnose() has nothing to mend on a machine in order', () => {
  assert.deepEqual(
    diagnose(healthy).filter(({ level }) => level !== 'ok'),
    [],
  )
})
