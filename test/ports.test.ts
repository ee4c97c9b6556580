import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import type { Finding } from '#core/finding.ts'
import type { PortRow } from '#run/listen/ports.ts'
import { startRunning } from './running.ts'

const isLinux = process.platform === 'linux'

test('status --ports says who listens where for which host and who is in the way, and doctor looks at the machine', {
  skip: !isLinux && 'needs /proc',
}, async () => {
  const service = createServer().listen(0, '127.0.0.1')
  await once(service, 'listening')
  const { port } = service.address() as { port: number }
  const running = await startRunning({
    hosts: { '@': { service: port }, www: { redirect: 'https://example.com' } },
  })
  const rowsOf = async (): Promise<{ code: number; rows: PortRow[] }> => {
    const { code, stdout } = await running.command('status', '--ports', '--json')
    return { code, rows: (JSON.parse(stdout) as { ports: PortRow[] }).ports }
  }
  const row = (rows: PortRow[], transport: string, wanted: number): PortRow | undefined =>
    rows.find((found) => found.transport === transport && found.socket.endsWith(`:${wanted}`))
  const up = await rowsOf()
  const own = `process ${running.child.pid} (`
  for (const [transport, wanted] of [
    ['UDP', running.ports.dns],
    ['TCP', running.ports.dns],
    ['TCP', running.ports.https],
  ] as const) {
    const found = row(up.rows, transport, wanted)
    assert.equal(found?.state, 'listens')
    assert.ok(found.holder?.startsWith(own), found.holder ?? '')
  }
  assert.deepEqual(row(up.rows, 'TCP', running.ports.https)?.names, ['example.com', 'www.example.com'])
  const inside = row(up.rows, 'TCP', port)
  assert.equal(inside?.side, 'inside')
  assert.deepEqual(inside?.names, ['example.com'])
  assert.ok(inside?.holder?.startsWith(`process ${process.pid} (`))
  assert.equal(up.code, 0)

  const doctor = await running.command('doctor', '--json', '--resolver', '127.0.0.1:9', '--timeout', '200ms')
  const { findings } = JSON.parse(doctor.stdout) as { findings: Finding[] }
  const seen = Object.fromEntries(findings.map(({ what, level, message }) => [what, `${level}: ${message}`]))
  assert.equal(seen['low ports'], 'ok: every port of the file is one that everyone may open.')
  assert.equal(seen['ports'], 'ok: nothing is in the way.')
  assert.match(seen['certificate']!, /^ok: example\.com shows one of .*, good for \d/)
  assert.match(seen['delegation of example.com']!, /^unknown/)

  running.child.kill('SIGTERM')
  await once(running.child, 'exit')
  const other = createSocket('udp4').bind(running.ports.dns, '127.0.0.1')
  await once(other, 'listening')
  const down = await rowsOf()
  const { stdout } = await running.command('status', '--ports')
  other.close()
  service.close()
  await running.stop()
  assert.equal(row(down.rows, 'UDP', running.ports.dns)?.state, 'taken')
  assert.equal(row(down.rows, 'TCP', running.ports.dns)?.state, 'free')
  assert.equal(down.code, 1)
  assert.match(
    stdout,
    new RegExp(
      `taken: UDP 127\\.0\\.0\\.1:${running.ports.dns}, which dns wants, belongs to process ${process.pid} `,
    ),
  )
})
