import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startScript, talk } from './proxy.ts'
import { startRunning, until } from './running.ts'

const GET = 'GET / HTTP/1.1\r\nHost: app.example.com\r\nConnection: close\r\n\r\n'
const HEADER = 'PROXY TCP4 203.0.113.7 192.0.2.1 50000 80\r\n'

test('a proxy of the file says who its client is, for access and origins; a reload changes whom to believe', async () => {
  const { port, heads } = await startScript('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
  const hosts = { hosts: { app: { service: port, http: 'serve', access: { allow: ['203.0.113.0/24'] } } } }
  const running = await startRunning(hosts)
  const listen = (http: unknown): object => ({
    listen: { dns: 'off', https: 'off', http, admin: `127.0.0.1:${running.ports.admin}` },
  })
  const at = `127.0.0.1:${running.ports.http}`
  try {
    assert.match(await talk(running.ports.http, [GET]), /^HTTP\/1\.1 403/)
    await running.write(hosts, listen({ at, proxyProtocol: '127.0.0.0/8' }))
    await until(async () => (await talk(running.ports.http, [HEADER + GET])).startsWith('HTTP/1.1 200'))
    assert.match(heads.at(-1)!, /\r\nX-Forwarded-For: 203\.0\.113\.7\r\n/)
    assert.equal(await talk(running.ports.http, [GET]), '')
    const url = `http://app.example.com:${running.ports.http}`
    const explained = await running.command('explain', url, '--from', '203.0.113.7')
    assert.match(explained.stdout, /proxies of 127\.0\.0\.0\/8 say first who the client is/)
    await running.write(hosts, listen(at))
    await until(async () => (await talk(running.ports.http, [GET])).startsWith('HTTP/1.1 403'))
  } finally {
    assert.equal(await running.stop(), 0)
  }
})
