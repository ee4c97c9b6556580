import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { readSecret } from '#bucket/identify.ts'
import type { S3StorePlan } from '#bucket/plan.ts'
import { EMPTY_HASH, signHeaders } from '#bucket/wire/sigv4.ts'
import { formatXml, textOfElement, type Xml } from '#bucket/wire/xml.ts'
import type { Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'
import { ResponseSource } from './response-source.ts'

type Sent = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string>>
  readonly range?: OctetRange
  /** the part of a file that is sent, and its hash */
  readonly part?: Part & { readonly hash: string }
  /** a document that is sent */
  readonly document?: string
}

type Part = { readonly path: string; readonly start: number; readonly octets: number }

/** Told of an upload in parts that is under way, by its id, and with '' that it is over. */
export type OnParts = (uploadId: string) => Promise<void>

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
  readonly #longOctets: number

  /**
   * @param now milliseconds since 1970, which a signature holds
   * @param longOctets what is longer is sent in parts, of no less than 64 MiB or this
   */
  constructor(plan: S3StorePlan, secret: string, now: () => number, longOctets: number = LONG_OCTETS) {
    this.#plan = plan
    this.#longOctets = longOctets
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
  async keep(sha256: string, path: string, octets: number, onParts: OnParts): Promise<void> {
    if (octets > this.#longOctets) return this.#keepInParts(sha256, path, octets, onParts)
    await drain(await this.#ask(sha256, { method: 'PUT', part: { path, start: 0, octets, hash: sha256 } }))
  }

  async #keepInParts(sha256: string, path: string, octets: number, onParts: OnParts): Promise<void> {
    const begun = await textOf(await this.#ask(sha256, { method: 'POST', query: { uploads: '' } }))
    const uploadId = textOfElement(begun, 'UploadId')
    if (uploadId === undefined) throw new StoreFailure(`the store at ${this.#url.host} begins no upload`)
    await onParts(uploadId)
    try {
      const partOctets = Math.max(Math.min(PART_OCTETS, this.#longOctets), Math.ceil(octets / LIMIT_PARTS))
      const told: Xml[] = []
      for (let start = 0; start < octets; start += partOctets) {
        const part = { path, start, octets: Math.min(partOctets, octets - start) }
        const partNumber = told.length + 1
        told.push({ PartNumber: partNumber, ETag: await this.#sendPart(sha256, part, partNumber, uploadId) })
      }
      const document = formatXml('CompleteMultipartUpload', { Part: told })
      const ended = await textOf(await this.#ask(sha256, { method: 'POST', query: { uploadId }, document }))
      // S3 says 200 before it knows.
      if (ended.includes('<Error>')) throw new StoreFailure(`the store at ${this.#url.host} said: ${ended}`)
    } catch (error) {
      await this.abort(sha256, uploadId).catch(() => {})
      throw error
    }
    await onParts('')
  }

  /** Returns the tag by which the service knows the part. */
  async #sendPart(sha256: string, part: Part, partNumber: number, uploadId: string): Promise<string> {
    const hash = createHash('sha256')
    for await (const octets of streamOf(part)) hash.update(octets)
    const query = { partNumber: `${partNumber}`, uploadId }
    const sent = { ...part, hash: hash.digest('hex') }
    const response = await this.#ask(sha256, { method: 'PUT', query, part: sent })
    await drain(response)
    return response.headers.etag ?? ''
  }

  /**
   * What was sent of an upload in parts goes; nothing happens when it is over.
   *
   * @throws {StoreFailure} when the service does not do it
   */
  async abort(sha256: string, uploadId: string): Promise<void> {
    await drain(await this.#ask(sha256, { method: 'DELETE', query: { uploadId } }))
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
      if (!isError && (status < 300 || (status === 404 && MAY_BE_GONE.has(sent.method)))) return response
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

  #send(sha256: string, { method, query = {}, range, part, document }: Sent): Promise<IncomingMessage> {
    const url = new URL(`${this.#url.pathname.replace(/\/$/, '')}/${sha256}`, this.#url)
    url.search = new URLSearchParams(query).toString()
    const { keyId, region } = this.#plan
    const contentHash = part?.hash ?? (document === undefined ? EMPTY_HASH : hashOf(document))
    const signed = signHeaders(
      { method, path: url.pathname, query: url.searchParams, authority: url.host, contentHash },
      { keyId, region, secret: this.#secret, nowMs: this.#now() },
    )
    const headers = {
      ...signed,
      ...(range && { range: `bytes=${range.first}-${range.last}` }),
      ...(part && { 'content-length': part.octets }),
    }
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const asked = request(url, { method, headers, agent: this.#agent })
      asked.on('response', resolve).on('error', reject)
      asked.setTimeout(SILENCE_MS, () =>
        asked.destroy(new Error(`it said nothing for ${SILENCE_MS / 1000} s`)),
      )
      if (part === undefined) asked.end(document)
      // What goes wrong on the way to the service is said by the request.
      else pipeline(streamOf(part), asked).catch(reject)
    })
  }
}

/** What was removed may be gone, and what is asked for may never have been. */
const MAY_BE_GONE: ReadonlySet<string> = new Set(['GET', 'DELETE'])
/** 1 GiB; S3 takes up to 5 GiB at once. */
const LONG_OCTETS = 2 ** 30
const PART_OCTETS = 67_108_864
const LIMIT_PARTS = 10_000
const ATTEMPTS = 3
const WAIT_MS = 200
const SILENCE_MS = 30_000
const LIMIT_SOCKETS = 64
const READ_OCTETS = 262_144
/** Of what a service says. */
const LIMIT_TEXT = 2000

function streamOf({ path, start, octets }: Part): Readable {
  // Of an empty file there is no last octet.
  if (octets === 0) return Readable.from([])
  return createReadStream(path, { start, end: start + octets - 1, highWaterMark: READ_OCTETS })
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function drain(response: IncomingMessage): Promise<void> {
  for await (const _ of response);
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const part of response) if (text.length < LIMIT_TEXT) text += String(part)
  return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, LIMIT_TEXT)
}
