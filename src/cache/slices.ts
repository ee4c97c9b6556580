import type { Exchange, Request, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { formatContentRange, type OctetRange } from '#http/wire/range.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { type Arrived, takeFor } from './fetch.ts'
import { pour } from './fill.ts'
import { inTurn, type Opener } from './in-turn.ts'
import { beginFill, judge } from './keep.ts'
import { wantedRange } from './parts.ts'
import { headOf, isNotModified, respondNotModified } from './respond.ts'
import { reuse } from './reuse.ts'
import type { CachedObject } from './store/store.ts'
import { type Stored, storedOf } from './stored.ts'
import { originFields } from './validate.ts'
import { isSelected } from './vary.ts'
import { WithFields } from './wire/with-fields.ts'

/** A slice that is stored, or growing. */
type Slice = { readonly object: CachedObject; readonly stored: Stored; readonly isHit: boolean }

/** How long a request waits for the one that fetches the same slice. */
const FOLLOW_MS = 30_000
/** How long it is remembered that something comes whole. */
const WHOLE_MS = 120_000

/**
 * Answer GET from slices: each is fetched when it is needed, kept under a key of its own, and shared by all who need it.
 *
 * Slices belong together while their strong validator is the same (RFC 9111 §3.4). Where the origin answers no ranges, or
 * says no strong validator, the response is fetched whole.
 *
 * @param whole asks for the response in one piece
 */
export async function respondSlices(
  cache: Cache,
  exchange: Exchange,
  key: string,
  whole: () => void,
): Promise<void> {
  const size = cache.plan.sliceOctets!
  const from = Number(/^bytes=(\d+)-/i.exec(exchange.request.fields.get('range') ?? '')?.[1] ?? 0)
  const firstIndex = Math.floor(from / size)
  const first = await getSlice(cache, exchange, key, firstIndex, null)
  if (!('head' in first)) return respondFrom(cache, exchange, key, { first, firstIndex, whole })
  if (first.head.status !== 416) cache.passes.set(slicesKey(key), cache.now() + WHOLE_MS)
  const wanted = { key, object: null, stored: null, reason: 'nothing stored', isCollapsed: false } as const
  takeFor(cache, exchange, wanted, first)
}

/** Whether it is not known that the responses under a key come whole. */
export function mayBeSliced({ plan, passes, now }: Cache, key: string): boolean {
  return plan.sliceOctets !== null && !((passes.get(slicesKey(key)) ?? 0) > now())
}

function slicesKey(key: string): string {
  return `${key} bytes`
}

type First = { readonly first: Slice; readonly firstIndex: number; readonly whole: () => void }

function respondFrom(
  cache: Cache,
  exchange: Exchange,
  key: string,
  { first, firstIndex, whole }: First,
): void {
  const { object, stored, isHit } = first
  const size = cache.plan.sliceOctets!
  const { total } = stored.place!
  const range = wantedRange(exchange, stored)
  if (range === null) return whole()
  const status = isHit ? null : forwardStatus({ why: 'nothing stored', status: 206, stored: true })
  const answer = { reason: isHit ? 'fresh' : 'nothing stored', status, isTold: cache.plan.status } as const
  const { fields } = headOf(object, stored, answer, cache.now())
  if (isNotModified(exchange, stored, cache.now())) return respondNotModified(exchange, fields, total)
  const isWhole = exchange.request.fields.get('range') === undefined
  const place = isWhole ? [] : [['Content-Range', formatContentRange(range, total)] as const]
  exchange.note.answeredBy = 'cache'
  exchange.note.reason = answer.reason
  if (isHit) cache.counts.hits++
  const head = {
    status: isWhole ? 200 : 206,
    fields: new WithFields(fields, fieldsOf(place)),
    lengthOctets: range.last - range.first + 1,
  }
  function* slices(): Generator<Opener> {
    for (let index = Math.floor(range!.first / size); index * size <= range!.last; index++) {
      yield async () => {
        const slice = index === firstIndex ? first : await getSlice(cache, exchange, key, index, stored)
        return openSlice(slice, stored, range!)
      }
    }
  }
  exchange.respond(head, inTurn(slices()))
}

/** The octets of a slice that are in the range; another version of the content breaks the response off. */
function openSlice(slice: Slice | Arrived, { validators }: Stored, range: OctetRange): Source {
  if ('head' in slice) {
    slice.body?.cancel('finished')
    throw new Error('The origin gives no slice any more')
  }
  const { object, stored } = slice
  const { first } = stored.place!
  if (stored.validators.etag !== validators.etag) throw new Error('The origin has another version now')
  const source = object.read(
    Math.max(range.first - first, 0),
    Math.min(range.last, stored.place!.last) + 1 - first,
  )
  if (source === null) throw new Error('The slice has made room for another')
  return source
}

/** Find a slice, wait for who fetches it, or fetch it. */
async function getSlice(
  cache: Cache,
  exchange: Exchange,
  key: string,
  index: number,
  version: Stored | null,
): Promise<Slice | Arrived> {
  const { store, plan } = cache
  const first = index * plan.sliceOctets!
  const sliceKey = `${key} bytes=${first}`
  // Once to look, once after somebody else's fetch.
  for (let tries = 0; tries < 2; tries++) {
    const found = findSlice(cache, exchange.request, sliceKey)
    if (found !== null) return found
    const lead = store.lead(sliceKey)
    if (lead !== null) {
      return fetchSlice(cache, exchange.request, { key: sliceKey, first, version }).finally(() => lead.done())
    }
    await store.follow(sliceKey, FOLLOW_MS)
  }
  return (
    findSlice(cache, exchange.request, sliceKey) ??
    fetchSlice(cache, exchange.request, { key: sliceKey, first, version })
  )
}

function findSlice({ store, now }: Cache, request: Request, key: string): Slice | null {
  for (const object of store.find(key)) {
    const stored = storedOf(object)
    if (stored.place === null || !isSelected(stored.vary, request.fields)) continue
    const { action } = reuse(request, { stored, isStale: object.isStale, missing: 'part missing' }, now())
    if (action === 'serve') return { object, stored, isHit: true }
  }
  return null
}

function fetchSlice(
  cache: Cache,
  request: Request,
  { key, first, version }: { readonly key: string; readonly first: number; readonly version: Stored | null },
): Promise<Slice | Arrived> {
  const { store, now, origin, plan, counts } = cache
  const epoch = store.epoch()
  const requestMs = now()
  const ifRange = version === null ? '' : `If-Range: ${version.validators.etag}\r\n`
  const fields = originFields(request, `Range: bytes=${first}-${first + plan.sliceOctets! - 1}\r\n${ifRange}`)
  counts.misses++
  return new Promise((resolve, reject) => {
    ask(
      origin,
      { ...request, fields },
      {
        informed() {},
        aborted: (reason) => reject(new Error(reason)),
        answered(response, body) {
          const { meta, reason } = judge(cache, request, response, { requestMs, responseMs: now() })
          const etag = response.fields.get('etag')
          const isSlice =
            meta.place?.first === first && etag !== undefined && !etag.startsWith('W/') && body !== null
          const fill =
            isSlice && reason === 'storable'
              ? beginFill(cache, { key, request, response, meta, epoch })
              : null
          if (fill === null) return resolve({ head: response, body, requestMs, epoch })
          void pour(body!, fill, () => Promise.resolve(null))
          resolve({ object: fill.object, stored: storedOf(fill.object), isHit: false })
        },
      },
    )
  })
}
