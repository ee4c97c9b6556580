import type { Request, ResponseHead } from '#http/exchange.ts'
import type { Validators } from '#http/wire/conditional.ts'
import { formatDate, parseDate } from '#http/wire/date.ts'
import { type Fields, NameSet, serializeFields } from '#http/wire/fields.ts'
import { parseFieldLines } from '#http/wire/head.ts'
import { listMembers } from '#http/wire/list.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { bornAt, dateOf, type Lifetime, type Times } from './freshness.ts'
import type { CachePlan } from './plan.ts'
import type { CachedObject } from './store/store.ts'
import type { Policy } from './targeted.ts'
import { type Selecting, selecting, varyNames } from './vary.ts'
import { deltaSeconds, listedFields } from './wire/cache-control.ts'
import { type ContentRange, parseContentRange } from './wire/content-range.ts'

/** What is kept of a response beside its content: plain, so that it survives as text. */
export type Meta = {
  readonly status: number
  /** field lines, each with its CRLF */
  readonly lines: string
  /** when its age was 0, and when it came, by our clock: milliseconds since 1970 */
  readonly bornMs: number
  readonly responseMs: number
  readonly lifetimeMs: number
  readonly basis: Lifetime['basis']
  readonly vary: Selecting
  /** its place in the whole; null for a whole response */
  readonly place: (ContentRange & { readonly total: number }) | null
  /** RFC 5861: how long it may be served stale while it is validated, and when that fails */
  readonly whileRevalidateMs: number
  readonly ifErrorMs: number
  /** how long while the origin cannot be reached */
  readonly ifDownMs: number
  /** never fresh without validation */
  readonly noCache: boolean
}

/** A response in the cache, ready for decisions. */
export type Stored = Meta & {
  readonly fields: Fields
  readonly validators: Validators
  readonly freshUntilMs: number
  /** the head of the last hit, and its Age in seconds */
  hit: { readonly age: number; readonly head: ResponseHead } | null
}

/** What to remember of a response that will be kept (RFC 9111 §3.1). */
export function metaOf(
  request: Request,
  { status, fields }: ResponseHead,
  { policy, lifetime, plan, times }: { policy: Policy; lifetime: Lifetime; plan: CachePlan; times: Times },
): Meta {
  const { directives } = policy
  const names = varyNames(fields, plan.ignoredInVary)
  const place = status === 206 ? parseContentRange(fields.get('content-range') ?? '') : undefined
  return {
    status,
    lines: keptLines(status, fields, policy, times),
    bornMs: bornAt(fields, times),
    responseMs: times.responseMs,
    lifetimeMs: lifetime.lifetimeMs,
    basis: lifetime.basis,
    vary: names === '*' ? [] : selecting(names, request.fields),
    place: place === undefined || place.total === null ? null : { ...place, total: place.total },
    ...staleness(directives, plan),
    noCache: directives.get('no-cache') === null && lifetime.basis !== 'override',
  }
}

/** The text that the store keeps. */
export function encodeMeta(meta: Meta): string {
  return JSON.stringify(meta)
}

/** What an object is, decoded once in each worker. */
export function storedOf(object: CachedObject): Stored {
  return (object.decoded ??= storedFrom(JSON.parse(object.meta) as Meta)) as Stored
}

/** RFC 9111 §4.2.3. */
export function ageMs(stored: Stored, nowMs: number): number {
  return Math.max(0, nowMs - stored.bornMs)
}

/** Fields of others, read from lines that were stored. */
export function fieldsOfLines(lines: string): Fields {
  const fields = parseFieldLines(`${lines}\r\n`, 0, NO_LIMITS)
  if (isRefusal(fields)) throw new Error(`Stored fields do not parse: ${fields.reason}`)
  return fields
}

/** What was remembered, ready for decisions. */
export function storedFrom(meta: Meta): Stored {
  const fields = fieldsOfLines(meta.lines)
  const lastModified = fields.get('last-modified')
  const lastModifiedMs = lastModified === undefined ? undefined : parseDate(lastModified, meta.responseMs)
  const validators = { etag: fields.get('etag'), lastModifiedMs }
  return { ...meta, fields, validators, freshUntilMs: meta.bornMs + meta.lifetimeMs, hit: null }
}

const NO_LIMITS = { headerOctets: Infinity, headerCount: Infinity, targetOctets: Infinity }

/**
 * RFC 9111 §3.1: without what concerns one connection or one proxy, and without what `no-cache` and `private` name
 * (§5.2.2.4, §5.2.2.7). Date is added where there is none (RFC 9110 §6.6.1).
 */
function keptLines(status: number, fields: Fields, { directives }: Policy, { responseMs }: Times): string {
  const listed = ['no-cache', 'private'].flatMap((name) => listedFields(directives.get(name) ?? ''))
  const nominated = listMembers(fields.all('connection'))
  const lines = serializeFields(
    fields,
    NOT_KEPT,
    new NameSet([...listed, ...nominated, ...(status === 206 ? OF_PART : [])]),
  )
  return fields.get('date') === undefined
    ? `${lines}Date: ${formatDate(dateOf(fields, responseMs))}\r\n`
    : lines
}

const NOT_KEPT = new NameSet(
  `age connection content-length keep-alive proxy-authenticate proxy-authentication-info
  proxy-authorization proxy-connection te transfer-encoding upgrade`.split(/\s+/),
)

/** What a part says of itself: smaller and larger parts are answered from it (RFC 9530 §2). */
const OF_PART = ['content-digest', 'content-md5', 'content-range']

/**
 * How long a response may be served stale (RFC 9111 §4.2.4, RFC 5861 §3, §4).
 *
 * `must-revalidate`, `proxy-revalidate` and `no-cache` forbid it. `s-maxage` forbids it too (RFC 9111 §5.2.2.10) unless
 * the same response allows it by name: then who wrote both for shared caches meant both.
 */
function staleness(
  directives: Policy['directives'],
  { stale }: CachePlan,
): Pick<Meta, 'whileRevalidateMs' | 'ifErrorMs' | 'ifDownMs'> {
  if (
    ['must-revalidate', 'proxy-revalidate'].some((name) => directives.has(name)) ||
    directives.get('no-cache') === null
  ) {
    return { whileRevalidateMs: 0, ifErrorMs: 0, ifDownMs: 0 }
  }
  const whileRevalidate = deltaSeconds(directives, 'stale-while-revalidate')
  const ifError = deltaSeconds(directives, 'stale-if-error')
  const isShared = directives.has('s-maxage')
  const ifErrorMs = ifError === undefined ? (isShared ? 0 : stale.errorMs) : ifError * 1000
  return {
    whileRevalidateMs:
      whileRevalidate === undefined ? (isShared ? 0 : stale.revalidateMs) : whileRevalidate * 1000,
    ifErrorMs,
    ifDownMs: Math.max(ifErrorMs, isShared ? 0 : stale.downMs),
  }
}
