import assert from 'node:assert/strict'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { askPortico } from './client.ts'
import { ADMIN_FILE, startAdmin } from './server.ts'

const routes = { 'GET /status': () => ({ ok: true }) }

test('the command line is answered with the token that state has, and nobody else', async () => {
  const stateFolder = await mkdtemp(join(tmpdir(), 'portico-'))
  const admin = await startAdmin({ host: '127.0.0.1', port: 0, mayMove: false, stateFolder, routes })
  assert.equal((await stat(join(stateFolder, ADMIN_FILE))).mode & 0o777, 0o600)
  assert.deepEqual(await askPortico(stateFolder, 'GET /status'), { ok: true })
  assert.equal((await fetch(`${admin.address.url}/status`)).status, 401)
  await assert.rejects(askPortico(stateFolder, 'GET /nothing'), /Nothing answers GET \/nothing/)
  await admin.close()
  assert.equal(await askPortico(stateFolder, 'GET /status'), null)
  await rm(stateFolder, { recursive: true })
})

test('a state folder that cannot be written leaves nothing open', async () => {
  const stateFolder = await mkdtemp(join(tmpdir(), 'portico-'))
  const file = join(stateFolder, 'file')
  await writeFile(file, '')
  await assert.rejects(
    startAdmin({ host: '127.0.0.1', port: 0, mayMove: false, stateFolder: file, routes }),
    /Cannot write/,
  )
  await rm(stateFolder, { recursive: true })
})
