import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { peer, run } from '../test/peers.ts'
import { freePort } from '../test/ports.ts'
import { type Running, startRunning } from '../test/running.ts'

const dig = peer('dig')
const kdig = peer('kdig')
const curl = peer('curl')

const HOSTS = {
  www: { respond: 'x' },
  ns1: { routes: { '/dns-query': { dns: true } }, http: 'serve' },
}

describe('encrypted DNS', () => {
  let running: Running
  let dot = 0
  let verify: string[] = []

  before(async () => {
    dot = await freePort()
    running = await startRunning({ hosts: HOSTS })
    const ports = Object.entries({ ...running.ports, dot })
    const listen = Object.fromEntries(ports.map(([name, port]) => [name, `127.0.0.1:${port}`]))
    await running.write({ hosts: HOSTS }, { dns: { name: 'ns1.example.com' }, listen })
    const { code, stdout } = await running.command('reload')
    assert.equal(code, 0, stdout)
    verify = [`+tls-ca=${running.folder}/state/tls/root.pem`, '+tls-hostname=ns1.example.com']
  })
  after(() => running?.stop())

  async function ask(port: number, ...args: string[]): Promise<string> {
    const { stdout } = await run(dig!, ['@127.0.0.1', '-p', `${port}`, ...verify, ...args])
    return stdout
  }

  // dig sends no name with the address of a server: the certificate is that of the host in "dns": { "name" }.
  test('dig verifies our certificate and gets answers over TLS (RFC 7858 §3.1)', {
    skip: dig === undefined && 'needs dig',
  }, async () => {
    const answer = await ask(dot, '+tls', '+padding=128', '+keepalive', 'www.example.com', 'A')
    assert.match(answer, /\(TLS\)/)
    assert.match(answer, /www\.example\.com\.\s+300\s+IN\s+A\s+203\.0\.113\.10/)
    assert.match(answer, /TCP KEEPALIVE: 10\.0 secs/)
    assert.match(answer, /PAD/)
    assert.match(answer, /rcvd: 468/)
    assert.match(await ask(dot, '+tls', 'none.example.com', 'A'), /NXDOMAIN/)
  })

  test('kdig takes our certificate, and gets answers over TLS and over HTTPS (RFC 7858 §3.1, RFC 8484 §4.1)', {
    skip: kdig === undefined && 'needs kdig',
  }, async () => {
    const https = ['-p', `${running.ports.https}`, '+https=/dns-query']
    for (const way of [['-p', `${dot}`, '+tls'], https, [...https, '+https-get']]) {
      const { stdout } = await run(kdig!, ['@127.0.0.1', ...way, ...verify, 'www.example.com', 'A'])
      assert.match(stdout, /www\.example\.com\.\s+300\s+IN\s+A\s+203\.0\.113\.10/, way.join(' '))
      assert.doesNotMatch(stdout, /WARNING|ERROR: /)
    }
  })

  test('curl asks for the address of a host over HTTPS (RFC 8484 §4.1)', {
    skip: curl === undefined && 'needs curl',
  }, async () => {
    const { http, https } = running.ports
    const doh = ['--doh-url', `https://ns1.example.com:${https}/dns-query`, '--doh-insecure']
    const { stdout, stderr, code } = await run(curl!, [
      ...['-sv', '--connect-timeout', '1', '--resolve', `ns1.example.com:${https}:127.0.0.1`],
      ...[...doh, `http://www.example.com:${http}/`],
    ])
    // The address is one of the documentation: nobody answers there, but curl has learnt it.
    assert.match(stderr, /203\.0\.113\.10/, `${code} ${stdout}`)
  })

  test('what is no query over HTTPS has the status that says why (RFC 8484 §4.1, §5.1)', {
    skip: curl === undefined && 'needs curl',
  }, async () => {
    const url = `http://ns1.example.com:${running.ports.http}/dns-query`
    const fixed = [
      ...['-s', '-o', '/dev/null', '-w', '%{http_code} %{content_type} %header{cache-control}'],
      ...['--resolve', `ns1.example.com:${running.ports.http}:127.0.0.1`],
    ]
    const query = 'AAABAAABAAAAAAAAA3d3dwdleGFtcGxlA2NvbQAAAQAB'
    const none = 'AAABAAABAAAAAAAABG5vbmUHZXhhbXBsZQNjb20AAAEAAQ'
    const cases: [string[], RegExp][] = [
      [[`${url}?dns=${query}`], /^200 application\/dns-message max-age=300$/],
      [[`${url}?dns=${none}`], /^200 application\/dns-message max-age=300$/],
      [['-I', `${url}?dns=${query}`], /^200 application\/dns-message/],
      [[url], /^400 /],
      [[`${url}?dns=a%20b`], /^400 /],
      [[`${url}?dns=AAAA`], /^400 /],
      [['-X', 'PUT', url], /^405 /],
      [['-d', 'x', url], /^415 /],
      [['-H', 'Content-Type: application/dns-message', '-d', 'x'.repeat(65_536), url], /^413 /],
    ]
    for (const [args, wanted] of cases)
      assert.match((await run(curl!, [...fixed, ...args])).stdout, wanted, args.join(' ').slice(0, 80))
  })
})
