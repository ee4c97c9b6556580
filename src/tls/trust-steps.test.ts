import assert from 'node:assert/strict'
import test from 'node:test'
import { type SystemStore, systemStores, type TrustFacts, trustPrograms, trustSteps } from './trust-steps.ts'

const root = {
  path: '/state/tls/root.pem',
  name: 'Portico local authority laptop',
  fingerprint: 'AB:CD:EF:01:23:45:67:89:00',
}
const facts: TrustFacts = {
  root,
  isAdministrator: false,
  programs: new Set(trustPrograms),
  system: null,
  databases: [],
}
const [debian, fedora, arch] = systemStores
const keychain: SystemStore = { kind: 'keychain', path: '/System.keychain' }

const system: readonly [what: string, store: SystemStore | undefined, trust: string[], forget: string[]][] = [
  [
    'Debian',
    debian,
    [
      'sudo install -m 0644 /state/tls/root.pem /usr/local/share/ca-certificates/portico-abcdef0123456789.crt',
      'sudo update-ca-certificates',
    ],
    [
      'sudo rm -f /usr/local/share/ca-certificates/portico-abcdef0123456789.crt',
      'sudo update-ca-certificates --fresh',
    ],
  ],
  [
    'Fedora',
    fedora,
    [
      'sudo install -m 0644 /state/tls/root.pem /etc/pki/ca-trust/source/anchors/portico-abcdef0123456789.pem',
      'sudo update-ca-trust extract',
    ],
    [
      'sudo rm -f /etc/pki/ca-trust/source/anchors/portico-abcdef0123456789.pem',
      'sudo update-ca-trust extract',
    ],
  ],
  [
    'Arch',
    arch,
    [
      'sudo install -m 0644 /state/tls/root.pem /etc/ca-certificates/trust-source/anchors/portico-abcdef0123456789.crt',
      'sudo trust extract-compat',
    ],
    [
      'sudo rm -f /etc/ca-certificates/trust-source/anchors/portico-abcdef0123456789.crt',
      'sudo trust extract-compat',
    ],
  ],
  [
    'macOS',
    keychain,
    ['sudo security add-trusted-cert -d -r trustRoot -k /System.keychain /state/tls/root.pem'],
    ['sudo security delete-certificate -Z ABCDEF012345678900 -t /System.keychain'],
  ],
]
for (const [what, store, trust, forget] of system) {
  test(`on ${what} the root is put in the system's store and taken out again`, () => {
    assert.ok(store !== undefined)
    assert.deepEqual(commands({ ...facts, system: { ...store, has: false } }, 'trust'), trust)
    assert.deepEqual(commands({ ...facts, system: { ...store, has: true } }, 'forget'), forget)
    for (const has of [true, false]) {
      const [step] = trustSteps({ ...facts, system: { ...store, has } }, has ? 'trust' : 'forget')
      assert.equal(step?.outcome, 'nothing to do')
    }
  })
}

test('an administrator needs no sudo', () => {
  assert.ok(debian !== undefined)
  const [first] = commands({ ...facts, isAdministrator: true, system: { ...debian, has: false } }, 'trust')
  assert.match(first ?? '', /^install /)
})

test('a database is made when missing; the root is added for servers only, and removed by its nickname', () => {
  const chromium = { folder: '/home/.pki/nssdb', reader: 'Chromium', exists: false, has: false }
  assert.deepEqual(commands({ ...facts, databases: [chromium] }, 'trust'), [
    'mkdir -p /home/.pki/nssdb',
    'certutil -N -d sql:/home/.pki/nssdb --empty-password',
    'certutil -A -d sql:/home/.pki/nssdb -n Portico local authority laptop abcdef0123456789 -t C,, -i /state/tls/root.pem',
  ])
  assert.deepEqual(commands({ ...facts, databases: [{ ...chromium, exists: true, has: true }] }, 'forget'), [
    'certutil -D -d sql:/home/.pki/nssdb -n Portico local authority laptop abcdef0123456789',
  ])
})

const impossible: readonly [
  what: string,
  missing: Partial<TrustFacts>,
  task: 'trust' | 'forget',
  why: RegExp,
][] = [
  ['an unknown system', {}, 'trust', /import \/state\/tls\/root\.pem/],
  [
    'no sudo',
    { system: { ...keychain, has: false }, programs: new Set(['security']) },
    'trust',
    /needs sudo: run as root/,
  ],
]
for (const [what, missing, task, why] of impossible) {
  test(`${what}: nothing is run, and the step says why`, () => {
    const [step] = trustSteps({ ...facts, ...missing }, task)
    assert.equal(step?.outcome, 'not possible')
    assert.deepEqual(step?.commands, [])
    assert.match(step?.why ?? '', why)
  })
}

test('without certutil nobody can tell what a database holds, and the step says what to install', () => {
  const firefox = { folder: '/f', reader: 'Firefox', exists: true, has: null }
  for (const task of ['trust', 'forget'] as const) {
    const step = trustSteps({ ...facts, programs: new Set(), databases: [firefox] }, task)[1]
    assert.equal(step?.outcome, 'not possible')
    assert.match(step?.why ?? '', /install libnss3-tools/)
  }
})

function commands(given: TrustFacts, task: 'trust' | 'forget'): string[] {
  return trustSteps(given, task).flatMap((step) => step.commands.map((words) => words.join(' ')))
}
