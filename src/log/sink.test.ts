import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AccessRecord } from './record.ts'
import { openLogSink } from './sink.ts'

test('one request of so many is written down and says so; what failed always is', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'portico-log-'))
  const plan = { file: 'a.log', format: 'json', query: true, oneIn: 4, keep: 1 } as const
  const chances = [0.2, 0.3, 0.9]
  const sink = openLogSink(plan, { folder, onError: assert.fail, random: () => chances.shift()! })
  for (const status of [200, 204, 404, 502, 0]) sink.write({ status } as AccessRecord)
  sink.file.close()
  const lines = (await readFile(join(folder, 'a.log'), 'utf8')).trim().split('\n')
  assert.deepEqual(lines, ['{"status":200,"standsFor":4}', '{"status":502}', '{"status":0}'])
  await rm(folder, { recursive: true })
})

test('a log that cannot be opened is named', () => {
  const plan = { file: 'nowhere/a.log', format: 'json', query: true, oneIn: 1, keep: 1 } as const
  const options = { folder: tmpdir(), onError: assert.fail, random: Math.random }
  assert.throws(
    () => openLogSink(plan, options),
    /^Error: Cannot open the access log .*nowhere\/a\.log: ENOENT/,
  )
})
