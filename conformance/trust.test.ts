import assert from 'node:assert/strict'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { silent } from '#core/log.ts'
import { openAuthority, type Root } from '#tls/authority.ts'
import { gatherTrustFacts, runTrustSteps, type TrustSurroundings } from '#tls/trust.ts'
import { trustSteps } from '#tls/trust-steps.ts'
import { temporaryFolder } from '../test/folder.ts'
import { executable, peer, run } from '../test/peers.ts'

const certutil = peer('certutil')
const updateCaCertificates = executable('update-ca-certificates')
const PATH = process.env['PATH'] ?? ''

test('certutil: browsers are told to trust the root, once, and to forget only ours', {
  skip: certutil === undefined && 'needs certutil',
}, async (t) => {
  assert.ok(certutil !== undefined)
  const home = temporaryFolder(t)
  const profiles = [
    join(home, '.mozilla/firefox/a.default'),
    join(home, 'snap/firefox/common/.mozilla/firefox/b.default'),
  ]
  for (const profile of profiles) await newDatabase(certutil, profile)
  await mkdir(join(home, '.mozilla/firefox/Crash Reports'))
  const [ours, other] = [await rootIn(home, 'ours'), await rootIn(home, 'other')]
  const ourPlace = placeOf(home, ours)
  const folders = [join(home, '.pki/nssdb'), ...profiles]

  assert.deepEqual(await outcomes(placeOf(home, other), 'trust'), ['done', 'done', 'done'])
  assert.deepEqual(await outcomes(ourPlace, 'trust'), ['done', 'done', 'done'])
  assert.deepEqual(await outcomes(ourPlace, 'trust'), ['nothing to do', 'nothing to do', 'nothing to do'])
  for (const folder of folders) {
    const { stdout } = await run(certutil, ['-L', '-d', `sql:${folder}`])
    assert.equal(stdout.match(/Portico local authority .* C,,/g)?.length, 2)
  }
  assert.deepEqual(await outcomes(ourPlace, 'forget'), ['done', 'done', 'done'])
  assert.deepEqual(await outcomes(ourPlace, 'forget'), ['nothing to do', 'nothing to do', 'nothing to do'])
  for (const folder of folders) {
    const { stdout } = await run(certutil, ['-L', '-d', `sql:${folder}`])
    assert.equal(stdout.match(/Portico local authority/g)?.length, 1)
  }
  assert.deepEqual(await outcomes(placeOf(home, other), 'trust'), [
    'nothing to do',
    'nothing to do',
    'nothing to do',
  ])
})

test('certutil: a database that is broken fails alone, with what certutil says', {
  skip: certutil === undefined && 'needs certutil',
}, async (t) => {
  const home = temporaryFolder(t)
  await mkdir(join(home, '.mozilla/firefox/broken'), { recursive: true })
  await writeFile(join(home, '.mozilla/firefox/broken/cert9.db'), 'no database')
  const place = placeOf(home, await rootIn(home, 'ours'))
  const steps = trustSteps(await gatherTrustFacts(place), 'trust').slice(1)
  const [chromium, firefox] = await runTrustSteps(steps, PATH)
  assert.equal(chromium?.outcome, 'done')
  assert.equal(firefox?.outcome, 'failed')
  assert.match(firefox?.why ?? '', /certutil -A .*: .*certutil: /s)
})

test('update-ca-certificates: the root enters the bundle and leaves it', {
  skip: updateCaCertificates === undefined && 'needs update-ca-certificates',
}, async (t) => {
  const prefix = temporaryFolder(t)
  const anchors = join(prefix, 'usr/local/share/ca-certificates')
  const bundle = join(prefix, 'etc/ssl/certs')
  const programs = join(prefix, 'bin')
  for (const folder of [anchors, bundle, programs, join(prefix, 'hooks')])
    await mkdir(folder, { recursive: true })
  // As a system has them: with other roots beside ours.
  const [root, other] = [await rootIn(prefix, 'ours'), await rootIn(prefix, 'public')]
  await writeFile(join(prefix, 'public/other.crt'), other.pem)
  await writeFile(join(prefix, 'ca-certificates.conf'), 'other.crt\n')
  const places = `--certsconf ${prefix}/ca-certificates.conf --certsdir ${prefix}/public --localcertsdir ${anchors} --etccertsdir ${bundle} --hooksdir ${prefix}/hooks`
  const script = `#!/bin/sh\nexec ${updateCaCertificates} ${places} "$@"\n`
  await writeFile(join(programs, 'update-ca-certificates'), script, { mode: 0o755 })
  const place = { ...placeOf(prefix, root), prefix, isAdministrator: true, path: `${programs}:${PATH}` }

  assert.deepEqual(await systemOutcome(place, 'trust'), 'done')
  assert.equal(await readFile(join(bundle, 'ca-certificates.crt'), 'utf8'), other.pem + root.pem)
  assert.deepEqual(await systemOutcome(place, 'trust'), 'nothing to do')
  assert.deepEqual(await systemOutcome(place, 'forget'), 'done')
  assert.deepEqual(await readdir(anchors), [])
  assert.equal(await readFile(join(bundle, 'ca-certificates.crt'), 'utf8'), other.pem)
  assert.deepEqual(await systemOutcome(place, 'forget'), 'nothing to do')
})

/** What became of the databases; the system is left alone. */
async function outcomes(place: TrustSurroundings, task: 'trust' | 'forget'): Promise<string[]> {
  const steps = trustSteps(await gatherTrustFacts(place), task).slice(1)
  return (await runTrustSteps(steps, place.path)).map(({ outcome, why }) =>
    outcome === 'failed' ? `${why}` : outcome,
  )
}

async function systemOutcome(
  place: TrustSurroundings,
  task: 'trust' | 'forget',
): Promise<string | undefined> {
  const steps = trustSteps(await gatherTrustFacts(place), task).slice(0, 1)
  const [result] = await runTrustSteps(steps, place.path)
  return result?.outcome === 'failed' ? result.why : result?.outcome
}

function placeOf(home: string, root: Root): TrustSurroundings {
  return { root, platform: 'linux', home, path: PATH, prefix: join(home, 'none'), isAdministrator: false }
}

async function newDatabase(program: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await run(program, ['-N', '-d', `sql:${folder}`, '--empty-password'])
}

async function rootIn(folder: string, name: string): Promise<Root> {
  const options = { folder: join(folder, name), host: 'laptop', now: Date.now(), log: silent }
  return (await openAuthority(options)).root
}
