import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { type Fields, fieldsOf } from '#http/wire/fields.ts'

/** What a request of an S3 client says about its signature (AWS Signature Version 4), before it is looked at. */
export type Signature = {
  readonly keyId: string
  /** `20260131/us-east-1/s3/aws4_request` */
  readonly scope: string
  /** `20260131T120000Z` */
  readonly date: string
  readonly signedHeaders: readonly string[]
  /** hexadecimal */
  readonly signature: string
  /** hash of the content, or a word that stands for one */
  readonly contentHash: string
  /** of a presigned URL: for how many seconds after its date it is good; null for a signed request */
  readonly expiresSeconds: number | null
}

export type SignedRequest = {
  readonly method: string
  /** as sent, without query */
  readonly path: string
  readonly query: URLSearchParams
  readonly authority: string
  readonly fields: Fields
}

/** @returns null when the request has no such signature, undefined when it is malformed */
export function readSignature({ fields, query }: SignedRequest): Signature | null | undefined {
  if (query.get('X-Amz-Algorithm') !== null) return readPresigned(query)
  const value = fields.get('authorization') ?? ''
  if (!value.startsWith(ALGORITHM)) return null
  const parts = new Map(
    value
      .slice(ALGORITHM.length)
      .split(',')
      .map((part) => part.trim().split('=', 2) as [string, string]),
  )
  return describe({
    credential: parts.get('Credential'),
    date: fields.get('x-amz-date'),
    signedHeaders: parts.get('SignedHeaders'),
    signature: parts.get('Signature'),
    contentHash: fields.get('x-amz-content-sha256'),
    expiresSeconds: null,
  })
}

function readPresigned(query: URLSearchParams): Signature | undefined {
  const expiresSeconds = Number(query.get('X-Amz-Expires') ?? Number.NaN)
  const isRight = Number.isInteger(expiresSeconds) && expiresSeconds > 0 && expiresSeconds <= LIMIT_EXPIRES
  if (query.get('X-Amz-Algorithm') !== ALGORITHM || !isRight) return undefined
  return describe({
    credential: query.get('X-Amz-Credential') ?? undefined,
    date: query.get('X-Amz-Date') ?? undefined,
    signedHeaders: query.get('X-Amz-SignedHeaders') ?? undefined,
    signature: query.get('X-Amz-Signature') ?? undefined,
    contentHash: query.get('X-Amz-Content-Sha256') ?? UNSIGNED,
    expiresSeconds,
  })
}

type Raw = Readonly<
  Record<'credential' | 'date' | 'signedHeaders' | 'signature' | 'contentHash', string | undefined>
> & {
  readonly expiresSeconds: number | null
}

function describe({ credential = '', date = '', signedHeaders = '', ...raw }: Raw): Signature | undefined {
  const [, keyId, scope, day] = /^(.+)\/((\d{8})\/[\w-]+\/s3\/aws4_request)$/.exec(credential) ?? []
  const { signature = '', contentHash = '', expiresSeconds } = raw
  const isDated = /^\d{8}T\d{6}Z$/.test(date) && date.startsWith(day ?? '-')
  if (keyId === undefined || scope === undefined || !isDated) return undefined
  if (!/^[0-9a-f]{64}$/.test(signature) || contentHash === '') return undefined
  const names = signedHeaders.split(';')
  // Without the host, a signature would be good at any other server.
  if (!names.includes('host')) return undefined
  return { keyId, scope, date, signedHeaders: names, signature, contentHash, expiresSeconds }
}

/** When the request was signed, in milliseconds since 1970. */
export function signedAtMs({ date }: Signature): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Whether the signature is right. */
export function isSigned(signature: Signature, request: SignedRequest, secret: string): boolean {
  return isEqual(signature.signature, signatureOf(signature, request, secret))
}

function signatureOf(signature: Signature, request: SignedRequest, secret: string): string {
  const canonical = canonicalRequest(signature, request)
  const text = [ALGORITHM, signature.date, signature.scope, sha256(canonical)].join('\n')
  return hmac(signingKey(signature.scope, secret), text).toString('hex')
}

/** A request that is sent by us. */
export type OwnRequest = Pick<SignedRequest, 'method' | 'path' | 'query' | 'authority'> & {
  /** of the content, hexadecimal */
  readonly contentHash: string
}

export type Signer = {
  readonly keyId: string
  readonly secret: string
  readonly region: string
  readonly nowMs: number
}

/** The header fields that sign a request to an S3 service. */
export function signHeaders(
  { method, path, query, authority, contentHash }: OwnRequest,
  { keyId, secret, region, nowMs }: Signer,
): Readonly<Record<'host' | 'x-amz-content-sha256' | 'x-amz-date' | 'authorization', string>> {
  const date = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, '')
  const lines = { 'x-amz-content-sha256': contentHash, 'x-amz-date': date }
  const signedHeaders = ['host', ...Object.keys(lines)]
  const scope = `${date.slice(0, 8)}/${region}/s3/aws4_request`
  const signature = { keyId, scope, date, signedHeaders, signature: '', contentHash, expiresSeconds: null }
  const fields = fieldsOf(Object.entries(lines))
  const signed = signatureOf(signature, { method, path, authority, fields, query }, secret)
  const credential = `Credential=${keyId}/${scope}, SignedHeaders=${signedHeaders.join(';')}`
  return { host: authority, ...lines, authorization: `${ALGORITHM} ${credential}, Signature=${signed}` }
}

/** Checks the chunks of a content that is signed piece by piece: each signature signs the one before it. */
export class ChunkSigner {
  readonly #signature: Signature
  readonly #key: Buffer
  #last: string

  constructor(signature: Signature, secret: string) {
    this.#signature = signature
    this.#key = signingKey(signature.scope, secret)
    this.#last = signature.signature
  }

  /** @param hash of the octets of the chunk, hexadecimal */
  isChunk(given: string, hash: string): boolean {
    return this.#isNext(given, 'AWS4-HMAC-SHA256-PAYLOAD', `${EMPTY_HASH}\n${hash}`)
  }

  /** @param lines of the trailers, as `name:value` with a line feed each */
  isTrailer(given: string, lines: string): boolean {
    return this.#isNext(given, 'AWS4-HMAC-SHA256-TRAILER', sha256(lines))
  }

  #isNext(given: string, algorithm: string, end: string): boolean {
    const { date, scope } = this.#signature
    const wanted = hmac(this.#key, [algorithm, date, scope, this.#last, end].join('\n')).toString('hex')
    this.#last = wanted
    return isEqual(given, wanted)
  }
}

const ALGORITHM = 'AWS4-HMAC-SHA256'
/** The word for a content that is not signed. */
export const UNSIGNED = 'UNSIGNED-PAYLOAD'
/** seven days, as S3 has it */
const LIMIT_EXPIRES = 604_800
/** The hash of no content. */
export const EMPTY_HASH: string = sha256('')

function canonicalRequest(
  signature: Signature,
  { method, path, query, authority, fields }: SignedRequest,
): string {
  const headers = signature.signedHeaders.map((name) => {
    const value = name === 'host' ? authority : fields.all(name).join(',')
    return `${name}:${value.trim().replace(/ +/g, ' ')}\n`
  })
  const pairs = [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
  return [
    method,
    path
      .split('/')
      .map((segment) => encode(decodeURIComponent(segment)))
      .join('/'),
    pairs.map(([name, value]) => `${name}=${value}`).join('&'),
    headers.join(''),
    signature.signedHeaders.join(';'),
    signature.contentHash,
  ].join('\n')
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

function signingKey(scope: string, secret: string): Buffer {
  return scope.split('/').reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function isEqual(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))
}
