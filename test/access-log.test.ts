import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRunning } from './running.ts'

test('workers write whole lines to one access log, and lose none when Portico stops', async () => {
  const host = { respond: 'a', http: 'serve' }
  const running = await startRunning(
    { hosts: { www: host } },
    { workers: 2, log: { access: './access.log', console: 'off' } },
  )
  const path = join(running.folder, 'access.log')
  let lines: string[] = []
  try {
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(running.ports.http, i)))
  } finally {
    running.child.kill('SIGTERM')
    await new Promise((resolve) => running.child.once('exit', resolve))
    lines = (await readFile(path, 'utf8')).trim().split('\n')
    await running.stop()
  }
  const targets = lines.map((line) => (JSON.parse(line) as { target: string }).target)
  const wanted = Array.from({ length: 200 }, (_, i) => `/${i}`)
  assert.deepEqual(targets.sort(), wanted.sort())
})

function ask(port: number, i: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { port, path: `/${i}`, headers: { Host: 'www.example.com' }, agent: false }
    get(options, (response) => response.resume().once('end', resolve)).once('error', reject)
  })
}
