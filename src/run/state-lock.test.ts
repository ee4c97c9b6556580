import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { lockState } from './state-lock.ts'

const exec = promisify(execFile)

test('a folder of state is for one process, until it ends or gives it back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-'))
  try {
    const state = join(folder, 'state')
    const release = lockState(state)
    const taken = new RegExp(`is in use by process ${process.pid}`)
    assert.throws(() => lockState(state), taken)
    await assert.rejects(lockElsewhere(state), taken)
    release()
    // That process ends without giving anything back.
    await lockElsewhere(state)
    lockState(state)()
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('a folder of state that cannot be made is said with the way out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-'))
  try {
    await writeFile(join(folder, 'file'), '')
    assert.throws(
      () => lockState(join(folder, 'file', 'state')),
      /a part of the path is no folder.*"state": /,
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

function lockElsewhere(state: string): Promise<unknown> {
  const script = `import { lockState } from ${JSON.stringify(join(import.meta.dirname, 'state-lock.ts'))}
lockState(${JSON.stringify(state)})`
  return exec(process.execPath, ['--input-type=module', '-e', script])
}
