import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'
import { getCACertificates } from 'node:tls'
import { problem } from './order.ts'
import { type Signer, signRequest } from './wire/jws.ts'
import { type AcmeProblem, type Directory, readDirectory, readProblem } from './wire/objects.ts'

/** An authority's server. All that it says is bounded in size and time. */
export type AcmeClient = {
  readonly url: string
  /** @throws {AcmeError} when it cannot be had */
  directory(): Promise<Directory>
  /**
   * Ask with a signature (RFC 8555 §6.2); a nonce that is refused is replaced (§6.5).
   *
   * @param payload undefined: POST-as-GET
   * @throws {AcmeError} when the answer is no success
   */
  post(url: string, signer: Signer, payload?: unknown): Promise<Answer>
  /** Ask without one; for what is public. */
  get(url: string): Promise<Answer>
  /** Requests under way fail, and no other is made. */
  close(): void
}

export type Answer = {
  readonly status: number
  /** JSON when it is some, else the text */
  readonly body: unknown
  readonly location: string | undefined
  readonly retryAfterMs: number | null
}

/** A refusal, or no answer: `problem.type` is `unreachable` then. */
export class AcmeError extends Error {
  readonly problem: AcmeProblem
  readonly retryAfterMs: number | null

  constructor(problem: AcmeProblem, retryAfterMs: number | null = null) {
    super(`${problem.type}: ${problem.detail}`)
    this.problem = problem
    this.retryAfterMs = retryAfterMs
  }
}

export type AcmeClientOptions = {
  /** its directory */
  readonly url: string
  /** PEM of roots that are trusted beside those of the system */
  readonly roots: string | null
  /** milliseconds since 1970 */
  readonly now: () => number
}

const TIMEOUT_MS = 30_000
const LIMIT_OCTETS = 1 << 20
const NONCES_KEPT = 8
const DIRECTORY_KEPT_MS = 24 * 60 * 60_000
// Half of all nonces refused, as a test server does, is passed all but once in a million times.
const NONCE_TRIES = 20
const USER_AGENT = 'portico (ACME, RFC 8555)'

/** @example const client = createAcmeClient({ url, roots: null, now: Date.now }); await client.directory() */
export function createAcmeClient({ url, roots, now }: AcmeClientOptions): AcmeClient {
  const ca = roots === null ? {} : { ca: [...getCACertificates('default'), roots] }
  const agent = new Agent({ keepAlive: true, maxSockets: 4, timeout: TIMEOUT_MS, ...ca })
  const nonces: string[] = []
  const closed = new AbortController()
  let known: { readonly reading: Promise<Directory>; readonly until: number } | null = null

  function directory(): Promise<Directory> {
    if (known === null || now() > known.until) {
      const reading = readIt()
      known = { reading, until: now() + DIRECTORY_KEPT_MS }
      reading.catch(() => (known = null))
    }
    return known.reading
  }

  async function readIt(): Promise<Directory> {
    const { body } = await get(url)
    const read = readDirectory(body)
    if (typeof read === 'string') throw new AcmeError(problem('unreachable', `${url}: ${read}`))
    return read
  }

  async function get(target: string): Promise<Answer> {
    return succeed(await send('GET', target))
  }

  async function post(target: string, signer: Signer, payload?: unknown): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const nonce = nonces.pop() ?? (await newNonce())
      const answer = await send('POST', target, await signRequest({ url: target, nonce, payload }, signer))
      // RFC 8555 §6.5: the answer brings a fresh one.
      const isStale = answer.status === 400 && readProblem(answer.body)?.type === 'badNonce'
      if (!isStale || tries === NONCE_TRIES) return succeed(answer)
    }
  }

  async function newNonce(): Promise<string> {
    await send('HEAD', (await directory()).newNonce)
    const nonce = nonces.pop()
    if (nonce === undefined)
      throw new AcmeError(problem('unreachable', `${url}: newNonce gave no Replay-Nonce (RFC 8555 §7.2).`))
    return nonce
  }

  async function send(method: string, target: string, body?: unknown): Promise<Answer> {
    if (!URL.canParse(target) || !target.startsWith('https:'))
      throw new AcmeError(problem('unreachable', `"${target}" is no URL with https (RFC 8555 §6.1).`))
    const { status, headers, text } = await exchange(method, target, body).catch((error: Error) => {
      throw new AcmeError(problem('unreachable', `${new URL(target).host}: ${reasonOf(error)}`))
    })
    const nonce = headers['replay-nonce']
    if (typeof nonce === 'string' && /^[\w-]+$/.test(nonce) && nonces.length < NONCES_KEPT) nonces.push(nonce)
    const isJson = /^application\/([\w.-]+\+)?json\b/.test(headers['content-type'] ?? '')
    return {
      status,
      body: isJson ? parse(text) : text,
      location: headers.location === undefined ? undefined : new URL(headers.location, target).href,
      retryAfterMs: retryAfter(headers['retry-after'], now()),
    }
  }

  function exchange(method: string, target: string, body: unknown): Promise<Received> {
    const content = body === undefined ? undefined : JSON.stringify(body)
    const type = content === undefined ? {} : { 'Content-Type': 'application/jose+json' }
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), closed.signal])
      const headers = { 'User-Agent': USER_AGENT, 'Accept-Language': 'en', ...type }
      const sent = request(target, { method, agent, headers, signal }, (response) => {
        const parts: Buffer[] = []
        let octets = 0
        response.on('data', (part: Buffer) => {
          octets += part.length
          parts.push(part)
          if (octets > LIMIT_OCTETS)
            sent.destroy(new Error(`it answered with more than ${LIMIT_OCTETS} octets`))
        })
        response.on('error', reject)
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
        })
      })
      sent.on('error', (error: Error & { code?: string }) => {
        // The server closed a connection that we kept, just as we used it: what was sent was not heard.
        if (sent.reusedSocket && error.code === 'ECONNRESET') resolve(exchange(method, target, body))
        else reject(error)
      })
      sent.end(content)
    })
  }

  function close(): void {
    closed.abort()
    agent.destroy()
  }

  return { url, directory, post, get, close }
}

type Received = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

function succeed(answer: Answer): Answer {
  const { status, body, retryAfterMs } = answer
  if (status >= 200 && status < 300) return answer
  const said = readProblem(body) ?? problem('about:blank', `It answered with the status ${status}.`)
  throw new AcmeError(said, retryAfterMs)
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfter(field: string | undefined, now: number): number | null {
  if (field === undefined) return null
  if (/^\d{1,9}$/.test(field)) return Number(field) * 1000
  const at = Date.parse(field)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function reasonOf(error: Error & { code?: string; cause?: unknown }): string {
  if (error.name === 'TimeoutError' || error.name === 'AbortError')
    return `no answer within ${TIMEOUT_MS / 1000} s`
  if (error.code === 'ECONNREFUSED') return 'the connection was refused'
  if (error.code === 'ENOTFOUND') return 'the name is not known'
  return error.message
}
