import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test from 'node:test'
import { type ConnectionOptions, connect } from 'node:tls'
import fc from 'fast-check'
import { readClientHello } from './client-hello.ts'

/** The first octets of a real client. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options })
  client.on('error', () => {})
  const [socket] = (await once(server, 'connection')) as [Socket]
  const [octets] = (await once(socket, 'data')) as [Buffer]
  client.destroy()
  socket.destroy()
  server.close()
  return octets
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`readClientHello() reads what a client of ${maxVersion} wants and can (RFC 8446 §4.1.2, §4.2.1, §4.2.3, §4.2.7, RFC 6066 §3, RFC 7301 §3.1)`, async () => {
    const octets = await helloOf({
      servername: 'Www.Example.Test',
      ALPNProtocols: ['acme-tls/1', 'h2'],
      maxVersion,
    })
    const read = readClientHello(octets)
    assert.ok(read !== null && read !== 'more')
    const { serverName, protocols, ciphers, versions, groups, signatures } = read
    assert.deepEqual([serverName, protocols], ['www.example.test', ['acme-tls/1', 'h2']])
    assert.ok(ciphers.includes(0xc02b), 'ECDHE-ECDSA-AES128-GCM-SHA256')
    assert.equal(versions.includes(0x0304), maxVersion === 'TLSv1.3')
    assert.ok(groups.includes(23) && signatures.includes(0x0403), 'P-256')
    for (let length = 0; length < octets.length; length++) {
      assert.equal(readClientHello(octets.subarray(0, length)), 'more')
    }
  })
}

test('readClientHello() takes nothing else, and a record of too many octets neither (RFC 8446 §5.1)', async () => {
  for (const text of ['GET / HTTP/1.1\r\n', 'HELLO', '\u0016\u0003\u0001\u00ff\u00ff\u0001']) {
    assert.equal(readClientHello(Buffer.from(text, 'latin1')), null)
  }
})

test('readClientHello() survives any octets', async () => {
  const octets = await helloOf({ servername: 'a.test', ALPNProtocols: ['acme-tls/1'] })
  const change = fc.tuple(fc.nat(octets.length - 1), fc.nat(255))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const changed = Buffer.from(octets)
      for (const [at, octet] of changes) changed[at] = octet
      readClientHello(changed)
    }),
  )
})
