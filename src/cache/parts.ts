import type { Exchange, Request, Source } from '#http/exchange.ts'
import { totalOctets as countOctets, type OctetRange } from '#http/wire/range.ts'
import type { Cache } from './cache.ts'
import { forwardStatus } from './cache-status.ts'
import { inTurn, type Opener } from './in-turn.ts'
import { answerRanges, choose } from './ranges.ts'
import { headOf, respondAnswer, type Told } from './respond.ts'
import { fetchPart } from './resume.ts'
import type { CachedObject } from './store/store.ts'
import type { Stored } from './stored.ts'

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

/**
 * Answer from stored parts; what is missing is fetched in its turn, when a strong validator holds both together.
 *
 * @returns octets of content that are stored, and whether others are fetched; null when that cannot be done:
 *   nothing has been answered
 */
export async function respondParts(
  cache: Cache,
  exchange: Exchange,
  parts: readonly StoredPart[],
  told: Told,
): Promise<{ readonly octets: number; readonly isFetched: boolean } | null> {
  const { stored, object } = parts[0]!
  const totalOctets = stored.place!.total
  const choice = choose(exchange.request, stored, totalOctets)
  const whole = { first: 0, last: totalOctets - 1 }
  const ranges = choice === 'whole' ? [whole] : choice === 'unsatisfiable' ? [] : choice
  const stretches = ranges.flatMap((range) => cover(parts, range))
  const isFetched = stretches.some(({ part }) => part === null)
  // Several at once are the origin's to answer where one is missing.
  if (isFetched && ranges.length > 1) return null
  const fetched = isFetched ? await fetchFirst(cache, exchange, stretches, parts[0]!) : undefined
  if (fetched === null) return null
  const status = forwardStatus({ why: 'part missing', status: 206 })
  const head = headOf(object, stored, isFetched ? { ...told, status } : told, cache.now())
  const open = (range: OctetRange): Source => {
    const openers = cover(parts, range).map((stretch) => openerOf(cache, exchange, stretch, parts, fetched))
    return inTurn(openers, fetched?.source)
  }
  exchange.note.reason = told.reason
  if (choice === 'whole') {
    exchange.respond({ status: 200, fields: head.fields, lengthOctets: totalOctets }, open(whole))
  } else respondAnswer(exchange, answerRanges(choice, head.fields, { totalOctets, open }))
  const kept = stretches.filter(({ part }) => part !== null).map(({ range }) => range)
  return { octets: countOctets(kept), isFetched }
}

/** The first stretch that is missing, and its content. */
type Fetched = { readonly first: number; readonly source: Source }

/** The first missing stretch is fetched at once: when the origin has another version now, all is fetched anew. */
async function fetchFirst(
  cache: Cache,
  { request }: Exchange,
  stretches: readonly Stretch[],
  part: StoredPart,
): Promise<Fetched | null> {
  const { range } = stretches.find((stretch) => stretch.part === null)!
  const source = await fetchMissing(cache, request, range, part)
  return source === null ? null : { first: range.first, source }
}

function openerOf(
  cache: Cache,
  { request }: Exchange,
  { range, part }: Stretch,
  parts: readonly StoredPart[],
  fetched: Fetched | undefined,
): Opener {
  if (part !== null) {
    const { first } = part.stored.place!
    return () => part.object.read(range.first - first, range.last + 1 - first)
  }
  if (fetched?.first === range.first) return () => fetched.source
  return () => fetchMissing(cache, request, range, parts[0]!).then(orBroken)
}

/** RFC 9111 §3.4: only a strong validator holds parts together. */
function fetchMissing(
  cache: Cache,
  request: Request,
  range: OctetRange,
  { stored: { validators, place }, object: { key } }: StoredPart,
): Promise<Source | null> {
  const { etag } = validators
  if (etag === undefined || etag.startsWith('W/')) return Promise.resolve(null)
  return fetchPart(cache, request, { ...range, total: place!.total, etag }, key)
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
