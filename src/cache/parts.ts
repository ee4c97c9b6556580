import type { Exchange, Source } from '#http/exchange.ts'
import { isRangeCurrent } from '#http/wire/conditional.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { formatContentRange, type OctetRange, parseRanges } from '#http/wire/range.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { inTurn, type Opener } from './in-turn.ts'
import { headOf, type Told } from './respond.ts'
import { fetchPart } from './resume.ts'
import type { CachedObject } from './store/store.ts'
import type { Stored } from './stored.ts'
import { WithFields } from './wire/with-fields.ts'

/** A stored part of a response, and its place. */
export type StoredPart = { readonly object: CachedObject; readonly stored: Stored }

/** A stretch of the content: stored in this part, or missing. */
export type Stretch = { readonly range: OctetRange; readonly part: StoredPart | null }

/**
 * Cover a range with stored parts of one version (RFC 9111 §3.4).
 *
 * Parts are combined only when they have the same strong validator and say the same length of the whole.
 *
 * @param parts newest first; the version of the first counts
 */
export function cover(parts: readonly StoredPart[], range: OctetRange): Stretch[] {
  const ofVersion = parts.filter((part) => part === parts[0] || isSameVersion(part, parts[0]!))
  const stretches: Stretch[] = []
  let at = range.first
  while (at <= range.last) {
    const part = ofVersion.find(({ stored }) => stored.place!.first <= at && at <= stored.place!.last) ?? null
    const next = ofVersion.map(({ stored }) => stored.place!.first).filter((first) => first > at)
    const end = part === null ? Math.min(...next, range.last + 1) - 1 : part.stored.place!.last
    const last = Math.min(end, range.last)
    stretches.push({ range: { first: at, last }, part })
    at = last + 1
  }
  return stretches
}

/** What a request wants of a content of this length; null: something that parts do not answer. */
export function wantedRange({ request }: Exchange, stored: Stored): OctetRange | null {
  const { total } = stored.place!
  const range = request.fields.get('range')
  if (range === undefined || !isRangeCurrent(request.fields, stored.validators, stored.responseMs)) {
    return { first: 0, last: total - 1 }
  }
  const ranges = parseRanges(range, total)
  return typeof ranges === 'string' || ranges.length > 1 ? null : ranges[0]!
}

/**
 * Answer from stored parts; what is missing is fetched in its turn, when a strong validator holds both together.
 *
 * @returns false when that cannot be done: nothing has been answered
 */
export async function respondParts(
  cache: Cache,
  exchange: Exchange,
  parts: readonly StoredPart[],
  told: Told,
): Promise<boolean> {
  const { stored, object } = parts[0]!
  const { total } = stored.place!
  const range = wantedRange(exchange, stored)
  if (range === null) return false
  const stretches = cover(parts, range)
  const openers = await open(cache, exchange, stretches, parts[0]!)
  if (openers === null) return false
  const isFetched = stretches.some(({ part }) => part === null)
  const said = isFetched ? { ...told, status: forwardStatus({ why: 'part missing', status: 206 }) } : told
  const head = headOf(object, stored, said, cache.now())
  const isWhole = exchange.request.fields.get('range') === undefined
  const place = isWhole ? [] : [['Content-Range', formatContentRange(range, total)] as const]
  exchange.note.reason = told.reason
  exchange.respond(
    {
      status: isWhole ? 200 : 206,
      fields: new WithFields(head.fields, fieldsOf(place)),
      lengthOctets: range.last - range.first + 1,
    },
    inTurn(openers),
  )
  return true
}

/** The first missing stretch is fetched at once: when the origin has another version now, all is fetched anew. */
async function open(
  cache: Cache,
  { request }: Exchange,
  stretches: readonly Stretch[],
  { stored: { validators, place }, object: { key } }: StoredPart,
): Promise<Opener[] | null> {
  const { etag } = validators
  const firstMissing = stretches.find(({ part }) => part === null)
  const fetch = ({ range }: Stretch): Promise<Source | null> =>
    fetchPart(cache, request, { ...range, total: place!.total, etag: etag! }, key)
  let fetched: Source | null = null
  if (firstMissing !== undefined) {
    if (etag === undefined || etag.startsWith('W/')) return null
    fetched = await fetch(firstMissing)
    if (fetched === null) return null
  }
  return stretches.map((stretch): Opener => {
    if (stretch === firstMissing) return () => fetched
    if (stretch.part === null) return () => fetch(stretch).then(orBroken)
    const { object, stored } = stretch.part
    const { first } = stored.place!
    return () => object.read(stretch.range.first - first, stretch.range.last + 1 - first)
  })
}

function orBroken(source: Source | null): Source {
  if (source === null) throw new Error('The origin has another version now')
  return source
}

function isSameVersion({ stored }: StoredPart, { stored: other }: StoredPart): boolean {
  const { etag } = stored.validators
  return (
    etag !== undefined &&
    !etag.startsWith('W/') &&
    etag === other.validators.etag &&
    stored.place!.total === other.place!.total
  )
}
