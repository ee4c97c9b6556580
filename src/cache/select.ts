import type { Request } from '#http/exchange.ts'
import type { Held } from './reuse.ts'
import type { CachedObject } from './store/store.ts'
import { storedOf } from './stored.ts'
import { isSelected } from './vary.ts'

/** The stored response that a request selects, and what the store has of it. */
export type Selected = { readonly object: CachedObject | null; readonly held: Held }

const NOTHING: Selected = { object: null, held: { stored: null, isStale: false, missing: 'nothing stored' } }
const MISMATCH: Selected = { object: null, held: { stored: null, isStale: false, missing: 'vary mismatch' } }
const PART: Selected = { object: null, held: { stored: null, isStale: false, missing: 'part missing' } }

/**
 * Select among the responses under one key the newest whole one whose Vary fits the request (RFC 9111 §4.1).
 *
 * @param objects newest first
 */
export function select(objects: readonly CachedObject[], request: Request): Selected {
  let missing = NOTHING
  for (const object of objects) {
    const stored = storedOf(object)
    if (stored.vary.length > 0 && !isSelected(stored.vary, request.fields)) missing = MISMATCH
    else if (stored.place !== null) missing = PART
    else return { object, held: { stored, isStale: object.isStale, missing: 'nothing stored' } }
  }
  return missing
}
