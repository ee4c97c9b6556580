import { createReadStream } from 'node:fs'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { readSecret } from '#bucket/identify.ts'
import type { S3StorePlan } from '#bucket/plan.ts'
import { EMPTY_HASH, signHeaders } from '#bucket/wire/sigv4.ts'
import type { Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'
import { ResponseSource } from './response-source.ts'

type Sent = {
  readonly method: 'GET' | 'PUT' | 'DELETE'
  readonly range?: OctetRange
  /** the file that is sent, and its length */
  readonly file?: { readonly path: string; readonly octets: number }
}

/**
 * The store of a bucket; null when the folder is it.
 *
 * @throws {Error} when its secret cannot be read
 */
export function openStore(plan: S3StorePlan | null, now: () => number): S3Store | null {
  return plan && new S3Store(plan, readSecret(plan.secretFile), now)
}

/** The store did not do what it was asked for; the message is for the log. */
export class StoreFailure extends Error {}

/** Blobs in a bucket of an S3 service, by their hash, which the service compares with what it gets. */
export class S3Store {
  readonly #plan: S3StorePlan
  readonly #secret: string
  readonly #now: () => number
  readonly #url: URL
  readonly #agent: HttpAgent

  /** @param now milliseconds since 1970, which a signature holds */
  constructor(plan: S3StorePlan, secret: string, now: () => number) {
    this.#plan = plan
    this.#secret = secret
    this.#now = now
    this.#url = new URL(plan.url)
    const options = { keepAlive: true, maxSockets: LIMIT_SOCKETS, timeout: SILENCE_MS }
    this.#agent = this.#url.protocol === 'https:' ? new HttpsAgent(options) : new HttpAgent(options)
  }

  /**
   * Send a file; it is stored when this resolves.
   *
   * @throws {StoreFailure} when the service does not take it
   */
  async keep(sha256: string, path: string, octets: number): Promise<void> {
    await drain(await this.#ask(sha256, { method: 'PUT', file: { path, octets } }))
  }

  /**
   * Ask for a part of a blob.
   *
   * @returns null when there is none
   * @throws {StoreFailure} when the service does not give it
   */
  async open(sha256: string, range: OctetRange): Promise<Source | null> {
    const response = await this.#ask(sha256, { method: 'GET', range })
    if (response.statusCode !== 404) return new ResponseSource(response)
    await drain(response)
    return null
  }

  /** @throws {StoreFailure} when the service does not do it */
  async remove(sha256: string): Promise<void> {
    await drain(await this.#ask(sha256, { method: 'DELETE' }))
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Ask until there is an answer that asking again would not change. */
  async #ask(sha256: string, sent: Sent): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt++) {
      const response = await this.#send(sha256, sent).catch((error: Error) => error)
      const isError = response instanceof Error
      const status = isError ? 0 : (response.statusCode ?? 0)
      if (!isError && (status < 300 || (status === 404 && sent.method !== 'PUT'))) return response
      const why = isError ? response.message : await textOf(response)
      const isLasting = !isError && status < 500 && status !== 429
      if (isLasting || attempt === ATTEMPTS) {
        throw new StoreFailure(
          `the store at ${this.#url.host} answered ${sent.method} with ${status || 'nothing'}: ${why}`,
        )
      }
      await pause(WAIT_MS * attempt)
    }
  }

  #send(sha256: string, { method, range, file }: Sent): Promise<IncomingMessage> {
    const path = `${this.#url.pathname.replace(/\/$/, '')}/${sha256}`
    const { keyId, region } = this.#plan
    const signed = signHeaders(
      { method, path, authority: this.#url.host, contentHash: file === undefined ? EMPTY_HASH : sha256 },
      { keyId, region, secret: this.#secret, nowMs: this.#now() },
    )
    const headers = {
      ...signed,
      ...(range && { range: `bytes=${range.first}-${range.last}` }),
      ...(file && { 'content-length': file.octets }),
    }
    const request = this.#url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.#url), { method, headers, agent: this.#agent })
      asked.on('response', resolve).on('error', reject)
      asked.setTimeout(SILENCE_MS, () =>
        asked.destroy(new Error(`it said nothing for ${SILENCE_MS / 1000} s`)),
      )
      if (file === undefined) asked.end()
      // What goes wrong on the way to the service is said by the request.
      else pipeline(createReadStream(file.path, { highWaterMark: READ_OCTETS }), asked).catch(reject)
    })
  }
}

const ATTEMPTS = 3
const WAIT_MS = 200
const SILENCE_MS = 30_000
const LIMIT_SOCKETS = 64
const READ_OCTETS = 262_144
/** Of what a service says of a fault. */
const LIMIT_TEXT = 300

async function drain(response: IncomingMessage): Promise<void> {
  for await (const _ of response);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of response) if (text.length < LIMIT_TEXT) text += String(part)
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, LIMIT_TEXT)
}
