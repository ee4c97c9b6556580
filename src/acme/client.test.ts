import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { temporaryFolder } from '../../test/folder.ts'
import { writeServerCertificate } from '../../test/pebble.ts'
import { type AcmeClient, AcmeError, createAcmeClient } from './client.ts'

const folder = temporaryFolder()
const roots = readFileSync(await writeServerCertificate(folder), 'utf8')
const tls = { key: readFileSync(join(folder, 'server.key')), cert: readFileSync(join(folder, 'server.pem')) }
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const signer = { key: { private: privateKey, public: publicKey }, kid: 'https://a.test/1' }

type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** A client of a server that answers so; its directory says where newNonce is. */
async function clientOf(context: TestContext, answer: Answering): Promise<AcmeClient> {
  const server = createServer(tls, (request, response) => {
    const base = `https://localhost:${(server.address() as AddressInfo).port}`
    if (request.url !== '/directory') return answer(request, response)
    const [newNonce, newAccount, newOrder] = [`${base}/nonce`, `${base}/account`, `${base}/order`]
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ newNonce, newAccount, newOrder }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}/directory`
  const client = createAcmeClient({ url, roots, now: () => 1_000_000 })
  context.after(() => {
    client.close()
    server.closeAllConnections()
    server.close()
  })
  return client
}

async function refusalOf(asked: Promise<unknown>): Promise<AcmeError> {
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof AcmeError, String(error))
  return error
}

test('a nonce is fetched once, then each answer brings the next (RFC 8555 §6.5, §7.2)', async (context) => {
  const asked: string[] = []
  const client = await clientOf(context, (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.writeHead(200, { 'Replay-Nonce': `n${asked.length}` }).end()
  })
  const { newOrder } = await client.directory()
  await client.post(newOrder, signer, {})
  await client.post(newOrder, signer, {})
  assert.deepEqual(asked, ['HEAD /nonce', 'POST /order', 'POST /order'])
})

test('a server that refuses every nonce is given up', async (context) => {
  let posts = 0
  const client = await clientOf(context, (request, response) => {
    if (request.method === 'POST') posts++
    const body = JSON.stringify({ type: 'urn:ietf:params:acme:error:badNonce' })
    const head = { 'Replay-Nonce': 'n', 'Content-Type': 'application/problem+json' }
    response.writeHead(request.method === 'POST' ? 400 : 200, head).end(body)
  })
  const { problem } = await refusalOf(client.post((await client.directory()).newOrder, signer, {}))
  assert.equal(problem.type, 'badNonce')
  assert.equal(posts, 20)
})

const fields: [text: string, ms: number | null][] = [
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:20:00 GMT', 200_000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['soon', null],
]

for (const [text, ms] of fields) {
  test(`Retry-After: ${text} (RFC 9110 §10.2.3)`, async (context) => {
    const client = await clientOf(context, (_request, response) => {
      response.writeHead(503, { 'Retry-After': text }).end('busy')
    })
    assert.equal((await refusalOf(client.get((await client.directory()).newOrder))).retryAfterMs, ms)
  })
}

test('a URL without TLS, no nonce, an endless answer, and a server that nobody vouches for: unreachable (RFC 8555 §6.1)', async (context) => {
  const client = await clientOf(context, (_request, response) => {
    response.end(Buffer.alloc(2 << 20))
  })
  const { newOrder } = await client.directory()
  assert.match((await refusalOf(client.get('http://a.test/'))).message, /no URL with https/)
  assert.match((await refusalOf(client.post(newOrder, signer, {}))).message, /gave no Replay-Nonce/)
  assert.match((await refusalOf(client.get(newOrder))).message, /more than 1048576 octets/)
  const stranger = createAcmeClient({ url: client.url, roots: null, now: Date.now })
  const { problem } = await refusalOf(stranger.directory())
  assert.equal(problem.type, 'unreachable')
  stranger.close()
})
