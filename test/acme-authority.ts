import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { calculateJwkThumbprint, type FlattenedJWSInput, flattenedVerify, importJWK, type JWK } from 'jose'
import { dnsDigest } from '#acme/wire/jws.ts'
import { encodeCertificate, encodeName, serverExtensions, toPem } from '#tls/wire/certificate.ts'
import { elementAt } from '#tls/wire/der.ts'
import { writeServerCertificate } from './pebble.ts'

/** A small authority that does what pebble cannot: advice on renewal, profiles, refusals of all kinds. */
export type TestAuthority = {
  readonly directory: string
  readonly root: string
  /** kinds of requests in the order in which they came: `newOrder`, `challenge`, `finalize` … */
  readonly requests: string[]
  readonly orders: TestOrder[]
  /** what the next request of a kind is answered with, instead of being heard */
  refuse(kind: string, refusal: Refusal): void
  /** called when a request of a kind was carried out; the answer waits for what comes back */
  onRequest: (kind: string) => unknown
  readonly rules: Rules
  stop(): Promise<void>
}

export type Rules = {
  lifetimeMs: number
  /** offered challenges */
  challenges: string[]
  profiles: Record<string, string>
  /** RFC 9773: what it advises; null: nothing */
  window: { start: number; end: number } | null
  /** what an order with a wildcard is refused with */
  againstWildcards: Refusal | null
}

export type Refusal = {
  readonly status: number
  readonly type: string
  readonly detail: string
  readonly retryAfter?: string
}

export type TestOrder = {
  readonly id: number
  readonly names: string[]
  readonly profile?: string
  readonly replaces?: string
  status: string
  chain?: string
  error?: { type: string; detail: string }
  readonly proved: Map<string, { status: string; type?: string; error?: { type: string; detail: string } }>
  readonly token: string
}

type Account = { readonly url: string; readonly jwk: JWK; readonly thumbprint: string }
type Heard = {
  readonly account: Account | undefined
  readonly jwk: JWK | undefined
  readonly payload: Payload
}
type Payload = Record<string, unknown> & {
  identifiers?: { value: string }[]
  csr?: string
  profile?: string
  replaces?: string
}

const PREFIX = 'urn:ietf:params:acme:error:'

/** Start the authority; names are looked up at `dnsPort` of loopback. */
export async function startAuthority(folder: string, dnsPort: number): Promise<TestAuthority> {
  const place = join(folder, 'authority')
  await mkdir(place, { recursive: true })
  const root = await writeServerCertificate(place)
  const tls = {
    key: await readFile(join(place, 'server.key')),
    cert: await readFile(join(place, 'server.pem')),
  }
  const resolver = new Resolver({ timeout: 1000, tries: 1 })
  resolver.setServers([`127.0.0.1:${dnsPort}`])
  const signer = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const accounts = new Map<string, Account>()
  const nonces = new Set<string>()
  const refusals = new Map<string, Refusal[]>()
  const requests: string[] = []
  const orders: TestOrder[] = []
  const rules: Rules = {
    lifetimeMs: 90 * 86_400_000,
    challenges: ['dns-01'],
    profiles: {},
    window: null,
    againstWildcards: null,
  }
  const server = createServer(tls, (request, response) => {
    hear(request, response).catch((error: unknown) => {
      const refusal = isRefusal(error)
        ? error
        : { status: 500, type: 'serverInternal', detail: String(error) }
      respond(
        response,
        refusal.status,
        problemOf(refusal),
        refusal.retryAfter === undefined ? {} : { 'Retry-After': refusal.retryAfter },
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `https://localhost:${(server.address() as AddressInfo).port}`

  async function hear(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind = '', id = ''] = (request.url ?? '').split('/')
    requests.push(kind)
    const refusal = refusals.get(kind)?.shift()
    if (refusal !== undefined) throw refusal
    if (kind === 'directory') return respond(response, 200, directory())
    if (kind === 'newNonce') return respond(response, 200, null)
    if (kind === 'renewalInfo')
      return respond(response, rules.window === null ? 404 : 200, advice(), { 'Retry-After': '3600' })
    const heard = await read(request)
    const { status, body, fields } = await act(kind, id, heard)
    await authority.onRequest(kind)
    respond(response, status, body, fields)
  }

  function directory(): object {
    const names = ['newNonce', 'newAccount', 'newOrder', 'keyChange']
    const urls = Object.fromEntries(names.map((name) => [name, `${base}/${name}`]))
    const meta = { profiles: rules.profiles, termsOfService: `${base}/terms` }
    return { ...urls, ...(rules.window === null ? {} : { renewalInfo: `${base}/renewalInfo` }), meta }
  }

  function advice(): object {
    if (rules.window === null) return {}
    const { start, end } = rules.window
    return { suggestedWindow: { start: new Date(start).toISOString(), end: new Date(end).toISOString() } }
  }

  async function read(request: IncomingMessage): Promise<Heard> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const jws = JSON.parse(Buffer.concat(parts).toString()) as FlattenedJWSInput
    const head = JSON.parse(Buffer.from(String(jws.protected), 'base64url').toString()) as {
      nonce: string
      url: string
      kid?: string
      jwk?: JWK
    }
    if (!nonces.delete(head.nonce)) throw refusal(400, 'badNonce', 'It is not one of mine.')
    if (head.url !== `${base}${request.url}`) throw refusal(403, 'unauthorized', 'The URL differs.')
    const account = head.kid === undefined ? undefined : accounts.get(head.kid)
    const jwk = account?.jwk ?? head.jwk
    if (jwk === undefined) throw refusal(400, 'accountDoesNotExist', 'Who are you?')
    const { payload } = await flattenedVerify(jws, await importJWK(jwk, 'ES256'))
    const text = Buffer.from(payload).toString()
    return { account, jwk, payload: text === '' ? {} : (JSON.parse(text) as Payload) }
  }

  async function act(
    kind: string,
    id: string,
    heard: Heard,
  ): Promise<{ status: number; body: unknown; fields?: Record<string, string> }> {
    if (kind === 'newAccount') return newAccount(heard.jwk!)
    if (heard.account === undefined) throw refusal(400, 'accountDoesNotExist', 'Who are you?')
    if (kind === 'keyChange') return keyChange(heard)
    if (kind === 'account') return { status: 200, body: { status: 'valid', orders: `${base}/orders` } }
    if (kind === 'orders')
      return { status: 200, body: { orders: orders.map((order) => `${base}/order/${order.id}`) } }
    if (kind === 'newOrder') {
      const order = newOrder(heard.payload)
      return { status: 201, body: orderBody(order), fields: { Location: `${base}/order/${order.id}` } }
    }
    const [number = '', name = ''] =
      id.split('.').length > 1 ? [id.slice(0, id.indexOf('.')), id.slice(id.indexOf('.') + 1)] : [id]
    const order = orders[Number(number)]
    if (order === undefined) throw refusal(404, 'malformed', 'There is no such order.')
    if (kind === 'authorization') return { status: 200, body: authorizationBody(order, name) }
    if (kind === 'challenge') {
      const [type = '', ...labels] = name.split('_')
      await validate(order, labels.join('_'), type, heard.account)
      return { status: 200, body: { type, url: `${base}/challenge/${id}`, status: 'processing' } }
    }
    if (kind === 'finalize') finalize(order, heard.payload)
    if (kind === 'certificate') return { status: 200, body: order.chain }
    return { status: 200, body: orderBody(order) }
  }

  async function newAccount(
    jwk: JWK,
  ): Promise<{ status: number; body: unknown; fields: Record<string, string> }> {
    const thumbprint = await calculateJwkThumbprint(jwk)
    const known = [...accounts.values()].find((account) => account.thumbprint === thumbprint)
    const url = known?.url ?? `${base}/account/${accounts.size}`
    accounts.set(url, { url, jwk, thumbprint })
    return { status: known === undefined ? 201 : 200, body: { status: 'valid' }, fields: { Location: url } }
  }

  /** RFC 8555 §7.3.5, but for what only an attacker would send. */
  async function keyChange({ account, payload }: Heard): Promise<{ status: number; body: unknown }> {
    const inner = payload as unknown as FlattenedJWSInput
    const head = JSON.parse(Buffer.from(String(inner.protected), 'base64url').toString()) as { jwk: JWK }
    await flattenedVerify(inner, await importJWK(head.jwk, 'ES256'))
    const thumbprint = await calculateJwkThumbprint(head.jwk)
    accounts.set(account!.url, { url: account!.url, jwk: head.jwk, thumbprint })
    return { status: 200, body: { status: 'valid' } }
  }

  function newOrder({ identifiers = [], profile, replaces }: Payload): TestOrder {
    const names = identifiers.map(({ value }) => value)
    if (rules.againstWildcards !== null && names.some((name) => name.startsWith('*.')))
      throw rules.againstWildcards
    const proved = new Map(names.map((name) => [name, { status: 'pending' }]))
    const order: TestOrder = {
      id: orders.length,
      names,
      ...(profile === undefined ? {} : { profile }),
      ...(replaces === undefined ? {} : { replaces }),
      status: 'pending',
      proved,
      token: randomBytes(16).toString('base64url'),
    }
    orders.push(order)
    return order
  }

  function orderBody(order: TestOrder): object {
    const { id, names, status, error } = order
    return {
      status,
      identifiers: names.map((value) => ({ type: 'dns', value })),
      authorizations: names.map((name) => `${base}/authorization/${id}.${name}`),
      finalize: `${base}/finalize/${id}`,
      ...(status === 'valid' ? { certificate: `${base}/certificate/${id}` } : {}),
      ...(error === undefined ? {} : { error }),
    }
  }

  function authorizationBody(order: TestOrder, name: string): object {
    const { status, error } = order.proved.get(name)!
    return {
      status,
      identifier: { type: 'dns', value: name.replace('*.', '') },
      wildcard: name.startsWith('*.'),
      challenges: rules.challenges.map((type) => ({
        type,
        url: `${base}/challenge/${order.id}.${type}_${name}`,
        status: status === 'pending' ? 'pending' : status,
        ...(type === 'dns-persist-01'
          ? { 'issuer-domain-names': ['authority.test'] }
          : { token: order.token + order.names.indexOf(name) }),
        ...(error === undefined ? {} : { error }),
      })),
    }
  }

  async function validate(order: TestOrder, name: string, type: string, account: Account): Promise<void> {
    const state = order.proved.get(name)!
    const bare = name.replace('*.', '')
    const isPersistent = type === 'dns-persist-01'
    const owner = `${isPersistent ? '_validation-persist' : '_acme-challenge'}.${bare}`
    const token = order.token + order.names.indexOf(name)
    const policy = name.startsWith('*.') ? '; policy=wildcard' : ''
    const wanted = isPersistent
      ? `authority.test; accounturi=${account.url}${policy}`
      : dnsDigest(`${token}.${account.thumbprint}`)
    const texts = await resolver.resolveTxt(owner).catch(() => [])
    const isThere = texts.some((parts) => parts.join('') === wanted)
    const detail = `${owner} has ${JSON.stringify(texts.flat())}`
    Object.assign(
      state,
      isThere
        ? { status: 'valid', type }
        : { status: 'invalid', error: { type: `${PREFIX}unauthorized`, detail } },
    )
    const states = [...order.proved.values()].map(({ status }) => status)
    if (states.includes('invalid')) order.status = 'invalid'
    else if (states.every((status) => status === 'valid')) order.status = 'ready'
  }

  function finalize(order: TestOrder, { csr = '' }: Payload): void {
    if (order.status !== 'ready') throw refusal(403, 'orderNotReady', `It is ${order.status}.`)
    const der = Buffer.from(csr, 'base64url')
    const publicKey = publicKeyIn(der)
    const issuerKey = signer.publicKey.export({ type: 'spki', format: 'der' })
    const now = Date.now()
    const content = {
      serial: randomBytes(16),
      issuer: encodeName('Test authority', '1'),
      subject: encodeName(order.names[0]!, '1'),
      notBefore: now,
      notAfter: now + rules.lifetimeMs,
      publicKey,
      extensions: serverExtensions(order.names, publicKey, issuerKey),
    }
    order.chain = toPem(encodeCertificate(content, (signed) => sign('sha256', signed, signer.privateKey)))
    order.status = 'valid'
  }

  function respond(
    response: ServerResponse,
    status: number,
    body: unknown,
    fields: Record<string, string> = {},
  ): void {
    const nonce = randomBytes(12).toString('base64url')
    nonces.add(nonce)
    const type =
      status >= 400
        ? 'application/problem+json'
        : typeof body === 'string'
          ? 'application/pem-certificate-chain'
          : 'application/json'
    response.writeHead(status, { 'Replay-Nonce': nonce, 'Content-Type': type, ...fields })
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }

  const authority: TestAuthority = {
    directory: `${base}/directory`,
    root,
    requests,
    orders,
    rules,
    onRequest: () => {},
    refuse(kind, one) {
      refusals.set(kind, [...(refusals.get(kind) ?? []), one])
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return authority
}

function refusal(status: number, type: string, detail: string): Refusal {
  return { status, type, detail }
}

function isRefusal(error: unknown): error is Refusal {
  return typeof error === 'object' && error !== null && 'status' in error
}

function problemOf({ status, type, detail }: Refusal): object {
  return { type: `${PREFIX}${type}`, detail, status }
}

/** SubjectPublicKeyInfo of a request (RFC 2986 §4.1), whose signature must be right. */
function publicKeyIn(csr: Buffer): Buffer {
  const info = elementAt(csr, elementAt(csr, 0).start)
  const signed = csr.subarray(elementAt(csr, 0).start, info.end)
  const version = elementAt(csr, info.start)
  const subject = elementAt(csr, version.end)
  const publicKey = csr.subarray(subject.end, elementAt(csr, subject.end).end)
  const signature = elementAt(csr, elementAt(csr, info.end).end)
  const key = createPublicKey({ key: publicKey, type: 'spki', format: 'der' })
  if (!verify('sha256', signed, key, csr.subarray(signature.start + 1, signature.end)))
    throw refusal(400, 'badCSR', 'Its signature is not that of its key.')
  return publicKey
}
