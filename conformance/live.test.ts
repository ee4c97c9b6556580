import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { askServer } from '#dns/ask.ts'
import { checkLive } from '#run/doctor/live.ts'
import { planSource } from '#run/portico.ts'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { until } from '../test/running.ts'

const knotd = peer('knotd')
const unbound = peer('unbound')
const folder = mkdtempSync(join(tmpdir(), 'portico-live-'))
const children: ChildProcess[] = []
after(async () => {
  for (const child of children) {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
})

function start(program: string, words: string[]): void {
  children.push(spawn(program, words, { stdio: 'ignore' }))
}

const SOA = '@ 60 SOA ns1 hostmaster 7 7200 3600 1209600 300'

/** Knot with the zone above and the zone itself: one server of each. */
function startKnot(port: number): void {
  mkdirSync(join(folder, 'db'))
  writeFileSync(
    join(folder, 'com.zone'),
    `$ORIGIN com.\n${SOA}\n@ 60 NS a.gtld\na.gtld 60 A 127.0.0.1\nexample 60 NS ns1.example\nexample 60 NS ns.old.example.net.\nns1.example 60 A 127.0.0.1\n`,
  )
  const long = 'x'.repeat(250)
  const texts = Array.from({ length: 20 }, (_, i) => `long 60 TXT "${i}${long}"`).join('\n')
  writeFileSync(
    join(folder, 'example.zone'),
    `$ORIGIN example.com.\n${SOA}\n@ 60 NS ns1\n@ 60 CAA 0 issue "sectigo.com"\nns1 60 A 127.0.0.1\nwww 60 A 127.0.0.1\n${texts}\n`,
  )
  writeFileSync(
    join(folder, 'knot.conf'),
    `server:
    listen: 127.0.0.1@${port}
    rundir: ${folder}
database:
    storage: ${folder}/db
template:
  - id: default
    storage: ${folder}
    zonefile-sync: -1
    journal-content: none
zone:
  - domain: com.
    file: com.zone
  - domain: example.com.
    file: example.zone
`,
  )
  start(knotd!, ['-c', join(folder, 'knot.conf')])
}

function startUnbound(port: number, knot: number): void {
  writeFileSync(
    join(folder, 'unbound.conf'),
    `server:
  interface: 127.0.0.1@${port}
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: ""
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
remote-control:
  control-enable: no
stub-zone:
  name: "com"
  stub-addr: 127.0.0.1@${knot}
stub-zone:
  name: "example.com"
  stub-addr: 127.0.0.1@${knot}
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@${knot}
`,
  )
  start(unbound!, ['-c', join(folder, 'unbound.conf')])
}

test('check --live asks Unbound and Knot', {
  skip: (knotd === undefined || unbound === undefined) && 'needs knotd and unbound',
}, async () => {
  const [knot, resolver, https] = [await freePort(), await freePort(), await freePort()]
  startKnot(knot)
  startUnbound(resolver, knot)
  const ask = { name: 'example.com.', type: 'SOA', recursive: true, timeoutMs: 1000 }
  await until(async () => {
    const said = await askServer({ address: '127.0.0.1', port: resolver }, ask)
    return typeof said === 'object' && said.answer.length === 1
  })
  const long = await askServer(
    { address: '127.0.0.1', port: resolver },
    { ...ask, name: 'long.example.com.', type: 'TXT' },
  )
  assert.equal(typeof long === 'string' ? long : long.answer.length, 20)
  const file = join(folder, 'portico.jsonc')
  writeFileSync(
    file,
    `{ "address": ["127.0.0.1"], "certificates": { "issuer": "letsencrypt" },
    "listen": { "dns": "off", "http": "off", "https": ":${https}", "admin": "off" },
    "domains": { "example.com": { "hosts": { "www": { "service": 8081 } }, "records": {
      "@": { "NS": ["ns1", "ns2.example.net"] }, "ns1": { "A": "127.0.0.1" } } } } }`,
  )
  const found = await checkLive(await planSource({ file }, false), {
    resolver: { address: '127.0.0.1', port: resolver },
    serverPort: knot,
    timeoutMs: 5000,
  })
  const told = Object.fromEntries(found.map(({ what, level, message }) => [what, `${level}: ${message}`]))
  // Knot answers for the child too, so what it says of the delegation is what the zone itself says.
  assert.match(
    told['delegation of example.com']!,
    /^warning: a\.gtld\.com, a server of the zone above, names ns1\.example\.com/,
  )
  assert.equal(told['glue of ns1.example.com'], 'ok: the zone above has 127.0.0.1.')
  assert.match(told['ns1.example.com (127.0.0.1) for example.com']!, /serial 7/)
  assert.match(told['ns2.example.net for example.com']!, /^warning: its address is not known/)
  assert.match(told['CAA of example.com']!, /^error: example\.com allows sectigo\.com/)
  assert.match(told['address of www.example.com']!, /^ok: 127\.0\.0\.1/)
  assert.match(told[`127.0.0.1:${https} (https, TCP)`]!, /^warning: nothing listens there/)
})
