import { keyOf } from '#cache/key.ts'
import type { CachePlan } from '#cache/plan.ts'
import { reuse } from '#cache/reuse.ts'
import { select } from '#cache/select.ts'
import type { CacheStore } from '#cache/store/store.ts'
import { ageMs } from '#cache/stored.ts'
import type { Position } from '#core/problem.ts'
import { formatSize } from '#core/units.ts'
import { noFields } from '#http/wire/fields.ts'
import { type Step, step } from './explain-step.ts'

/** The store of a running Portico, and the time; null: a file alone. */
export type LiveCache = { readonly store: CacheStore | null; readonly nowMs: number } | null

/** Say what is stored for a URL, how old it is, and what the next plain GET would get. */
export function explainCache(plan: CachePlan, url: URL, at: Position, live: LiveCache): Step[] {
  const target = `${url.pathname}${url.search}`
  const request = {
    authority: url.host,
    target,
    fields: noFields,
    client: { secure: url.protocol === 'https:' },
  }
  const key = keyOf(plan.key, request)
  const say = (says: string, reason: string): Step => step('cache', says, reason, at)
  if (live === null || live.store === null)
    return [say('kept as responses allow', `key ${key}; not running: a file alone`)]
  const { object, held, parts } = select(live.store.find(key), request)
  const { action, reason } = reuse(request, held, live.nowMs)
  const next = say(`the next GET is ${NEXT[action]}`, reason)
  if (object === null || held.stored === null) {
    const what = parts.length === 0 ? 'nothing is stored' : `${parts.length} parts are stored`
    return [say(what, `key ${key}`), next]
  }
  const { stored } = held
  const age = Math.floor(ageMs(stored, live.nowMs) / 1000)
  const left = Math.floor((stored.freshUntilMs - live.nowMs) / 1000)
  const fresh = left >= 0 ? `fresh for ${left} s more` : `stale for ${-left} s`
  const says = `${stored.status}, ${formatSize(object.storedOctets)}, ${age} s old, ${fresh}`
  return [say(says, `key ${key}; its lifetime is of ${BASES[stored.basis]}`), next]
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
