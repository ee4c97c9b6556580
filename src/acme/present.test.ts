import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { type Log, silent } from '#core/log.ts'
import { overlayZones } from '#dns/overlay.ts'
import { createDnsServer } from '#dns/server.ts'
import { compileZones } from '#dns/zone.ts'
import { checkText, fileText } from '../../test/planted/planted.ts'
import { freePort } from '../../test/ports.ts'
import { createPresenter, type Shown } from './present.ts'
import type { Proof } from './proof.ts'

const owner = '_acme-challenge.example.com.'
const proof = (text: string): Proof => ({ type: 'dns-01', owner, text })
const { signal } = new AbortController()

/** A secondary that can be told what it has. */
async function secondary(context: TestContext): Promise<{ address: string; follow(text: string): void }> {
  const { dns } = checkText(fileText({ hosts: '"@": { "respond": "x" }' })).plan!
  const zones = (texts: { owner: string; text: string }[]) =>
    compileZones(overlayZones(dns.zones, texts), new Map())
  const server = createDnsServer({ zones: zones([]), limits: dns.limits, log: silent })
  const { port } = await server.listen('127.0.0.1', 0)
  context.after(() => server.close())
  return {
    address: `127.0.0.1:${port}`,
    follow: (text) => server.replaceZones(zones([{ owner, text }])),
  }
}

test('proofs of several orders stand together, and each goes with its own', async () => {
  const states: Shown[] = []
  const presenter = createPresenter({
    publish: (shown) => void states.push(shown),
    locate: (name) => ({ owner: name, secondaries: [] }),
    log: silent,
  })
  const takeFirst = await presenter.show([proof('one'), proof('two')], signal)
  const takeSecond = await presenter.show(
    [
      { type: 'http-01', name: 'a.test', token: 't', content: 't.k' },
      { type: 'tls-alpn-01', name: 'a.test', digest: 'ab' },
    ],
    signal,
  )
  takeFirst()
  takeSecond()
  const counts = states.map(({ texts, tokens, digests }) => [
    texts.length,
    Object.keys({ ...tokens, ...digests }),
  ])
  assert.deepEqual(counts, [
    [2, []],
    [2, ['a.test/t', 'a.test']],
    [0, ['a.test/t', 'a.test']],
    [0, []],
  ])
})

test('a secondary is waited for until it has the record', async (context) => {
  const { address, follow } = await secondary(context)
  const locate = () => ({ owner, secondaries: [address] })
  const presenter = createPresenter({ publish: () => {}, locate, log: silent })
  let isShown = false
  const shown = presenter.show([proof('new')], signal).then(() => (isShown = true))
  await new Promise((resolve) => setTimeout(resolve, 300))
  assert.equal(isShown, false)
  follow('new')
  await shown
})

test('a secondary that does not answer is told of and not waited for', async () => {
  const events: string[] = []
  const log: Log = (level, event) => void events.push(`${level} ${event}`)
  const address = `127.0.0.1:${await freePort()}`
  const locate = () => ({ owner, secondaries: [address] })
  await createPresenter({ publish: () => {}, locate, log }).show([proof('new')], signal)
  assert.deepEqual(events, ['warning acme: name server does not answer'])
})

test('a name that another answers for is refused before anything is shown', async () => {
  const states: Shown[] = []
  const presenter = createPresenter({
    publish: (shown) => void states.push(shown),
    locate: () => `${owner} is delegated to ns.elsewhere.net.`,
    log: silent,
  })
  await assert.rejects(presenter.show([proof('new')], signal), /delegatedAway: .* ns\.elsewhere\.net/)
  assert.equal(states.length, 0)
})
