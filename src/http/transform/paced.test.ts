import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { ask } from '../../../test/exchange.ts'
import { originAt } from '../../../test/origin.ts'
import { startProxy } from '../../../test/proxy.ts'
import { handlerOf, transformOf } from '../../../test/transform.ts'
import type { Handler } from '../exchange.ts'
import { fieldsOf } from '../wire/fields.ts'

const CONTENT_OCTETS = 64 * 2 ** 20

/** Octets that arrive within a stretch of time, which begins with the first of them. */
async function count(stream: Readable, ms: number): Promise<number> {
  let octets = 0
  stream.on('data', (piece: Buffer) => (octets += piece.length))
  await once(stream, 'data')
  await pause(ms)
  return octets
}

for (const version of ['HTTP/1.1', 'HTTP/2'] as const) {
  test(`a response goes as fast as limits.rate says, after rateAfter, over ${version}`, async () => {
    const origin = http.createServer((_, response) => response.end(Buffer.alloc(CONTENT_OCTETS)))
    await once(origin.listen(0, '127.0.0.1'), 'listening')
    const transform = transformOf({ limits: { rate: '2MB/s', rateAfter: 1_000_000 } })!
    const { port } = await startProxy([originAt((origin.address() as AddressInfo).port)], {
      transform,
      http2: version === 'HTTP/2',
    })
    if (version === 'HTTP/1.1') {
      const request = http.get(`http://127.0.0.1:${port}/`)
      const [response] = await once(request, 'response')
      isPaced(await count(response, 2500))
      request.destroy()
    } else {
      const session = http2.connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 2 ** 24 } })
      session.on('connect', () => session.setLocalWindowSize(2 ** 24))
      isPaced(await count(session.request({ ':path': '/' }), 2500))
      session.destroy()
    }
    origin.closeAllConnections()
    origin.close()
  })
}

test('what a turn brings goes at once, and the rest waits', async () => {
  const answered = async (octets: number) => {
    const handler: Handler = (exchange) => {
      exchange.respond({ status: 200, fields: fieldsOf([]), lengthOctets: octets }, Buffer.alloc(octets))
    }
    return (await ask(handlerOf({ limits: { rate: '1MB/s' } }, handler), {})).body
  }
  assert.ok((await answered(50_000)) instanceof Uint8Array)
  const body = await answered(150_000)
  assert.ok(body !== null && !(body instanceof Uint8Array))
  const begun = performance.now()
  let octets = 0
  for (let part = await body.read(1e6); part !== null; part = await body.read(1e6)) octets += part.length
  const tookMs = performance.now() - begun
  assert.equal(octets, 150_000)
  assert.ok(tookMs > 90 && tookMs < 300, `${tookMs} ms`)
  body.cancel('finished')
})

/** 1 MB at once, and 2.5 s of 2 MB. */
function isPaced(octets: number): void {
  assert.ok(Math.abs(octets - 6_000_000) < 300_000, `${octets} octets came, 6 000 000 were wanted`)
}
