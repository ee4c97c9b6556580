import type { Request } from '#http/exchange.ts'
import type { StoredPart } from './parts.ts'
import type { Held } from './reuse.ts'
import type { CachedObject } from './store/store.ts'
import { storedOf } from './stored.ts'
import { isSelected } from './vary.ts'

/** The stored response that a request selects, and what the store has of it. */
export type Selected = {
  readonly object: CachedObject | null
  readonly held: Held
  /** parts of what the request selects, newest first, when nothing whole is stored */
  readonly parts: readonly StoredPart[]
}

const NO_PARTS: readonly StoredPart[] = []
const NOTHING: Selected = {
  object: null,
  held: { stored: null, isStale: false, missing: 'nothing stored' },
  parts: NO_PARTS,
}

/**
 * Select among the responses under one key the newest whole one whose Vary fits the request (RFC 9111 §4.1), else its
 * parts.
 *
 * @param objects newest first
 */
export function select(objects: readonly CachedObject[], request: Pick<Request, 'fields'>): Selected {
  let parts: StoredPart[] | null = null
  let hasOthers = false
  for (const object of objects) {
    const stored = storedOf(object)
    if (stored.vary.length > 0 && !isSelected(stored.vary, request.fields)) hasOthers = true
    else if (stored.place !== null) {
      parts ??= []
      parts.push({ object, stored })
    } else {
      return { object, held: { stored, isStale: object.isStale, missing: 'nothing stored' }, parts: NO_PARTS }
    }
  }
  if (parts === null && !hasOthers) return NOTHING
  const missing = parts === null ? 'vary mismatch' : 'part missing'
  return { object: null, held: { stored: null, isStale: false, missing }, parts: parts ?? NO_PARTS }
}
