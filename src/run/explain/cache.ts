import { keyOf } from '#cache/key.ts'
import type { CachePlan } from '#cache/plan.ts'
import { reuse } from '#cache/reuse.ts'
import { select } from '#cache/select.ts'
import type { CachedObject, CacheStore } from '#cache/store/store.ts'
import { ageMs, type Stored, storedOf } from '#cache/stored.ts'
import { lastVerdict, type Verdict } from '#cache/verdicts.ts'
import type { Position } from '#core/problem.ts'
import { formatSize, plural } from '#core/units.ts'
import { noFields } from '#http/wire/fields.ts'
import { type Step, step } from './step.ts'

/** The store of a running Portico, and the time; null: a file alone. */
export type LiveCache = {
  readonly store: CacheStore | null
  readonly nowMs: number
  /** why responses were not kept lately, by key */
  readonly verdicts: readonly (readonly [string, Verdict])[]
} | null

/** Say what is stored for a URL, how old it is, and what the next plain GET would get. */
export function explainCache(plan: CachePlan, url: URL, at: Position, live: LiveCache): Step[] {
  const target = `${url.pathname}${url.search}`
  const client = { secure: url.protocol === 'https:' }
  const request = { authority: url.host, target, fields: noFields, client }
  const key = keyOf(plan.key, request)
  const say = (says: string, reason: string): Step => step('cache', says, reason, at)
  if (live === null || live.store === null)
    return [say('kept as responses allow', `key ${key}; not running: a file alone`)]
  const objects = live.store.find(key)
  const { object, held, parts } = select(objects, request)
  const { action, reason } = reuse(request, held, live.nowMs)
  const next = say(`the next GET is ${NEXT[action]}`, reason)
  const verdict = lastVerdict(live.verdicts, key)
  const last = verdict === undefined ? [] : [say(lastText(verdict, live.nowMs), WHY_NOT[verdict.reason])]
  if (object !== null && held.stored !== null)
    return [
      say(storedText(object, held.stored, live.nowMs), whyText(key, object, held.stored)),
      ...last,
      next,
    ]
  const others = objects.filter(({ id }) => parts.every((part) => part.object.id !== id))
  const slices = plan.sliceOctets === null ? [] : live.store.list({ prefix: `${key} bytes=`, limit: MOST })
  const counted = [
    [parts.length, 'part'],
    [slices.length, 'slice'],
    [others.length, 'response'],
  ] as const
  const found = counted.flatMap(([count, what]) => (count === 0 ? [] : [plural(count, what)]))
  return [
    say(found.length === 0 ? 'nothing is stored' : `${found.join(', ')} stored`, `key ${key}`),
    ...others.map((other) =>
      say(storedText(other, storedOf(other), live.nowMs), chosenText(storedOf(other))),
    ),
    ...last,
    next,
  ]
}

/** Slices that are counted. */
const MOST = 1000

function storedText(object: CachedObject, stored: Stored, nowMs: number): string {
  const age = Math.floor(ageMs(stored, nowMs) / 1000)
  const left = Math.floor((stored.freshUntilMs - nowMs) / 1000)
  const fresh = left >= 0 ? `fresh for ${left} s more` : `stale for ${-left} s`
  const growing = object.state === 'growing' ? ', growing' : ''
  return `${stored.status}, ${formatSize(object.storedOctets)}, ${age} s old, ${object.isStale ? 'stale by a purge' : fresh}${growing}`
}

function whyText(key: string, { tags }: CachedObject, stored: Stored): string {
  const notes = [
    `key ${key}`,
    `its lifetime is of ${BASES[stored.basis]}`,
    ...(stored.noCache ? ['never without validation: no-cache'] : []),
    ...(tags.length > 0 ? [`tags ${tags.filter((tag) => !tag.includes('\t')).join(', ')}`] : []),
  ]
  return notes.join('; ')
}

/** What a request has to say to get it (RFC 9111 §4.1). */
function chosenText({ vary }: Stored): string {
  return `for requests with ${vary.map(([name, value]) => (value === null ? `no ${name}` : `${name}: ${value}`)).join(', ')}`
}

function lastText({ status, atMs }: Verdict, nowMs: number): string {
  return `the last response, ${status}, was not kept, ${Math.max(0, Math.round((nowMs - atMs) / 1000))} s ago`
}

const WHY_NOT: Readonly<Record<Verdict['reason'], string>> = {
  method: 'its method is not GET (RFC 9111 §3)',
  'request: no-store': 'the request said no-store (RFC 9111 §5.2.1)',
  'response: no-store': 'it said no-store (RFC 9111 §3)',
  private: 'it said private (RFC 9111 §5.2.2.7)',
  'must-understand': 'it said must-understand, with a status that is not known here (RFC 9111 §5.2.2.3)',
  authorization: 'the client has said who it is, and the response is not public (RFC 9111 §3.5)',
  'set-cookie': 'it has Set-Cookie, and does not say how long it is fresh (RFC 9111 §7.3)',
  'vary: *': 'it said "Vary: *" (RFC 9111 §4.1)',
  status: 'its status is not one to keep unless the response says how long it is fresh (RFC 9110 §15.1)',
  'part without a place': 'it is a part that does not say where it belongs (RFC 9111 §3.3)',
  'neither fresh nor to be validated':
    'it neither says how long it is fresh, nor has it a validator; "ttl" says it for the route',
  'too large': 'it is larger than "maxSize", or than the store has room for',
  'does not fit its suffix': 'the path ends like a file of another type (cache deception)',
  'no room': 'the store had no room at that moment, or a purge came first',
  'broke off': 'it broke off before it was whole',
}

const NEXT = {
  serve: 'answered from the cache',
  refresh: 'answered from the cache, and the service is asked in the background',
  validate: 'sent to the service, which may answer that it has not changed',
  fetch: 'sent to the service',
  refuse: 'refused',
} as const

const BASES = {
  override: '"override"',
  's-maxage': 's-maxage',
  'max-age': 'max-age',
  expires: 'Expires',
  heuristic: 'a guess by Last-Modified',
  file: '"ttl"',
  none: 'nothing',
} as const
