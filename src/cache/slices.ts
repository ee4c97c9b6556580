import type { Exchange, Request, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import type { OctetRange } from '#http/wire/range.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { type Arrived, FAILURES, takeFor } from './fetch.ts'
import { pour } from './fill.ts'
import { inTurn, type Opener } from './in-turn.ts'
import { beginFill, freshen, judge } from './keep.ts'
import { answerRanges, choose, GONE } from './ranges.ts'
import { isRemembered, remember } from './remembered.ts'
import { headOf, isNotModified, respondAnswer, respondNotModified } from './respond.ts'
import { resumeFrom } from './resume.ts'
import { type Held, type ReuseReason, reuse, reuseAfter } from './reuse.ts'
import type { CachedObject } from './store/store.ts'
import { type Stored, storedOf } from './stored.ts'
import { isAbout } from './update.ts'
import { conditionLines, originRequest } from './validate.ts'
import { isSelected } from './vary.ts'

/** A slice that is stored, or growing, and why it may be used. */
type Slice = {
  readonly object: CachedObject
  readonly stored: Stored
  readonly reason: ReuseReason | 'fetched'
}

/** How long a request waits for the one that fetches the same slice. */
const FOLLOW_MS = 30_000

/**
 * Answer GET from slices: each is fetched when it is needed, kept under a key of its own, and shared by all who need it.
 *
 * Slices belong together while their strong validator is the same (RFC 9111 §3.4). Where the origin answers no ranges, or
 * says no strong validator, the response is fetched whole.
 */
export async function respondSlices(cache: Cache, exchange: Exchange, key: string): Promise<void> {
  const size = cache.plan.sliceOctets!
  const from = Number(/^bytes=(\d+)-/i.exec(exchange.request.fields.get('range') ?? '')?.[1] ?? 0)
  const firstIndex = Math.floor(from / size)
  const first = await getSlice(cache, exchange.request, key, firstIndex, null)
  if (!('head' in first)) return respondFrom(cache, exchange, key, { ...first, index: firstIndex })
  cache.counts.misses++
  if (first.head.status !== 416) remember(cache, key, 'no slices')
  const wanted = {
    key,
    object: null,
    stored: null,
    reason: 'nothing stored',
    isCollapsed: false,
    isPassed: false,
  } as const
  takeFor(cache, exchange, wanted, first)
}

/** Whether it is not known that the responses under a key come whole. */
export function mayBeSliced(cache: Cache, key: string): boolean {
  return cache.plan.sliceOctets !== null && !isRemembered(cache, key, 'no slices')
}

function respondFrom(
  cache: Cache,
  exchange: Exchange,
  key: string,
  first: Slice & { readonly index: number },
): void {
  const { object, stored, reason } = first
  const { request } = exchange
  const size = cache.plan.sliceOctets!
  const { total } = stored.place!
  const why = reason === 'fetched' ? 'nothing stored' : reason
  const status = reason === 'fetched' ? forwardStatus({ why, status: 206, stored: true }) : null
  const { fields } = headOf(object, stored, { reason: why, status, isTold: cache.plan.status }, cache.now())
  exchange.note.answeredBy = 'cache'
  exchange.note.reason = why
  cache.counts[reason === 'fetched' ? 'misses' : reason === 'fresh' ? 'hits' : 'stale']++
  if (isNotModified(exchange, stored, cache.now())) return respondNotModified(exchange, fields, total)
  function* slices(range: OctetRange): Generator<Opener> {
    for (let index = Math.floor(range.first / size); index * size <= range.last; index++) {
      const get = () => getSlice(cache, request, key, index, stored)
      yield async () => {
        const slice = index === first.index ? first : await get()
        // Between two octets a slice may make room for another: it comes once more.
        return openSlice(slice, stored, range) ?? openSlice(await get(), stored, range) ?? GONE
      }
    }
  }
  const open = (range: OctetRange): Source => inTurn(slices(range))
  const choice = choose(request, stored, total)
  if (choice === 'whole')
    exchange.respond({ status: 200, fields, lengthOctets: total }, open({ first: 0, last: total - 1 }))
  else respondAnswer(exchange, answerRanges(choice, fields, { totalOctets: total, open }))
}

/**
 * The octets of a slice that are in the range; another version of the content breaks the response off.
 *
 * @returns null when it has made room for another
 */
function openSlice(slice: Slice | Arrived, { validators }: Stored, range: OctetRange): Source | null {
  if ('head' in slice) {
    slice.body?.cancel('finished')
    throw new Error('The origin gives no slice any more')
  }
  const { object, stored } = slice
  const { first } = stored.place!
  if (stored.validators.etag !== validators.etag) throw new Error('The origin has another version now')
  return object.read(Math.max(range.first - first, 0), Math.min(range.last, stored.place!.last) + 1 - first)
}

/** Find a slice, wait for who fetches it, or fetch it. */
async function getSlice(
  cache: Cache,
  request: Request,
  key: string,
  index: number,
  version: Stored | null,
): Promise<Slice | Arrived> {
  const { store, plan } = cache
  const first = index * plan.sliceOctets!
  const wanted = { key: `${key} bytes=${first}`, first, version }
  // Once to look, once after somebody else's fetch.
  for (let tries = 0; ; tries++) {
    const held = findSlice(cache, request, wanted.key)
    const { action, reason } = reuse(request, held ?? NOTHING, cache.now())
    if (action === 'serve') return { ...held!, reason }
    const lead = tries < 2 ? store.lead(wanted.key) : null
    if (lead !== null || tries === 2 || action === 'refresh') {
      const fetching = fetchSlice(cache, request, wanted, held).finally(() => lead?.done())
      if (action !== 'refresh') return fetching
      void fetching.then(letGo, () => {})
      return { ...held!, reason }
    }
    await store.follow(wanted.key, FOLLOW_MS)
  }
}

const NOTHING = { stored: null, isStale: false, missing: 'part missing' } as const

/** What came in the background in the place of a slice. */
function letGo(came: Slice | Arrived): void {
  if ('head' in came) came.body?.cancel('finished')
}

type HeldSlice = Held & { readonly object: CachedObject; readonly stored: Stored }

function findSlice({ store }: Cache, request: Request, key: string): HeldSlice | null {
  for (const object of store.find(key)) {
    const stored = storedOf(object)
    if (stored.place === null || !isSelected(stored.vary, request.fields)) continue
    return { object, stored, isStale: object.isStale, missing: 'part missing' }
  }
  return null
}

type WantedSlice = { readonly key: string; readonly first: number; readonly version: Stored | null }

/** @param held what is stored of it, and not fresh */
function fetchSlice(
  cache: Cache,
  request: Request,
  { key, first, version }: WantedSlice,
  held: HeldSlice | null,
): Promise<Slice | Arrived> {
  const { store, now, origin, plan, counts } = cache
  const epoch = store.epoch()
  const requestMs = now()
  const range = `Range: bytes=${first}-${first + plan.sliceOctets! - 1}\r\n`
  const ifRange = version === null ? '' : `If-Range: ${version.validators.etag}\r\n`
  const conditions = held === null ? '' : conditionLines(held.stored)
  counts.fetches++
  return new Promise((resolve, reject) => {
    /** @returns whether the slice that is stored stands in for what could not be had */
    const serveStale = (failure: 'error' | 'down'): boolean => {
      const reason = held === null ? undefined : reuseAfter(failure, held.stored, now())
      if (reason !== undefined) resolve({ ...held!, reason })
      return reason !== undefined
    }
    ask(origin, originRequest(plan, request, range + ifRange + conditions), {
      informed() {},
      aborted: (reason) => void (serveStale('down') || reject(new Error(reason))),
      answered(response, body) {
        const times = { requestMs, responseMs: now() }
        if (held !== null && response.status === 304 && isAbout(held.stored, response.fields)) {
          body?.cancel('finished')
          const object = freshen(cache, request, { ...held, epoch }, response.fields, times)
          return resolve({ object, stored: storedOf(object), reason: 'fetched' })
        }
        if (FAILURES.has(response.status) && serveStale(response.isPage === true ? 'down' : 'error'))
          return body?.cancel('finished')
        const { meta, reason } = judge(cache, request, response, times)
        const etag = response.fields.get('etag')
        const isSlice =
          meta.place?.first === first && etag !== undefined && !etag.startsWith('W/') && body !== null
        const fill =
          isSlice && reason === 'storable' ? beginFill(cache, { key, request, response, meta, epoch }) : null
        if (fill === null) return resolve({ head: response, body, requestMs, epoch })
        const stored = storedOf(fill.object)
        void pour(body!, fill, resumeFrom(cache, request, stored, response.lengthOctets))
        resolve({ object: fill.object, stored, reason: 'fetched' })
      },
    })
  })
}
