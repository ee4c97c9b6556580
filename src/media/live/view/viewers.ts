/** Who watches a stream, as one worker knows it; plain values, for they cross threads. */
export type Audience = {
  readonly root: string
  readonly stream: string
  /** address and program of each: who asks several workers is one viewer */
  readonly viewers: readonly string[]
}

/** Who has asked for nothing in so long watches no more: players ask every few seconds. */
const IDLE_MS = 20_000
/** Of one folder and worker; beyond, who was seen longest ago is not counted. */
const LIMIT_VIEWERS = 20_000

/** Who has asked for a stream of one folder lately. */
export class Viewers {
  /** when each was seen last, the longest ago first */
  readonly #seen = new Map<string, number>()

  /** @param viewer address and program */
  see(stream: string, viewer: string, nowMs: number): void {
    const key = `${stream} ${viewer}`
    this.#seen.delete(key)
    this.#seen.set(key, nowMs)
    if (this.#seen.size > LIMIT_VIEWERS) this.#seen.delete(this.#seen.keys().next().value!)
  }

  /** Those of each stream. */
  list(root: string, nowMs: number): Audience[] {
    for (const [key, atMs] of this.#seen) {
      if (nowMs - atMs < IDLE_MS) break
      this.#seen.delete(key)
    }
    const byStream = Map.groupBy(this.#seen.keys(), (key) => key.slice(0, key.indexOf(' ')))
    return Array.from(byStream, ([stream, viewers]) => ({ root, stream, viewers }))
  }
}

/** How many watch each stream of all folders, by `audienceKey`. */
export function countViewers(audiences: readonly Audience[]): Map<string, number> {
  const streams = Map.groupBy(audiences, ({ root, stream }) => audienceKey(root, stream))
  return new Map(
    Array.from(streams, ([key, parts]) => [key, new Set(parts.flatMap(({ viewers }) => viewers)).size]),
  )
}

/** A stream among those of all folders. */
export function audienceKey(root: string, stream: string): string {
  return JSON.stringify([root, stream])
}
