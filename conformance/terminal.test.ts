import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../test/folder.ts'
import { peer } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { until } from '../test/running.ts'

const script = peer('script')
const folder = temporaryFolder()

test('Portico stops when the terminal that it was started on is closed, and reloads when it is only told to', {
  skip: script === undefined && 'needs script',
}, async () => {
  const port = await freePort()
  const listen = { dns: 'off', http: `127.0.0.1:${port}`, https: 'off', admin: 'off' }
  const domains = { 'example.com': { hosts: { '@': { respond: 'here', http: 'serve' } } } }
  const file = join(folder, 'portico.jsonc')
  writeFileSync(file, JSON.stringify({ workers: 1, address: '203.0.113.10', listen, domains }))
  const answer = (): Promise<string> =>
    new Promise((resolve) => {
      const options = { host: '127.0.0.1', port, headers: { Host: 'example.com' }, agent: false }
      const request = get(options, (response) => {
        let text = ''
        response.on('data', (octets) => (text += octets)).on('end', () => resolve(text))
      })
      request.on('error', () => resolve('refused'))
    })
  const main = join(import.meta.dirname, '../src/main.ts')
  const command = `echo $$; exec ${process.execPath} ${main} up --config ${file}`
  const terminal = spawn(script!, ['-qfc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
  let output = ''
  terminal.stdout.on('data', (octets) => (output += octets))
  await until(async () => (await answer()) !== 'refused', 60_000)
  const pid = Number.parseInt(output, 10)
  try {
    process.kill(pid, 'SIGHUP')
    await until(() => output.includes('Nothing changed'), 60_000)
    assert.equal(await answer(), 'here')
    terminal.kill('SIGKILL')
    await until(() => isGone(pid), 60_000)
    assert.equal(await answer(), 'refused')
  } finally {
    if (!isGone(pid)) process.kill(pid, 'SIGKILL')
  }
})

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return false
  } catch {
    return true
  }
}
