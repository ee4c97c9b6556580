import type { Storable } from './storable.ts'

/** Why the last response under a key was not kept; plain JSON. */
export type Verdict = {
  readonly status: number
  readonly reason: Exclude<Storable, 'storable'> | 'no room' | 'broke off'
  /** milliseconds since 1970 */
  readonly atMs: number
}

const LIMIT = 500

/** Why responses were not kept, for who asks: the last keys of a worker, and no more of them than a person looks for. */
export class Verdicts {
  /** in the order in which they came */
  readonly #byKey = new Map<string, Verdict>()

  note(key: string, verdict: Verdict): void {
    this.#byKey.delete(key)
    if (this.#byKey.size >= LIMIT) for (const oldest of this.#byKey.keys().take(1)) this.#byKey.delete(oldest)
    this.#byKey.set(key, verdict)
  }

  /** A response under this key was kept. */
  forget(key: string): void {
    if (this.#byKey.size > 0) this.#byKey.delete(key)
  }

  list(): [key: string, verdict: Verdict][] {
    return [...this.#byKey]
  }
}

/** Of what several workers know of a key, the last. */
export function lastVerdict(
  lists: readonly (readonly [string, Verdict])[],
  key: string,
): Verdict | undefined {
  const known = lists.filter(([other]) => other === key).map(([, verdict]) => verdict)
  return known.sort((a, b) => b.atMs - a.atMs)[0]
}
