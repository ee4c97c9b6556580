import { closeResource, isCurrent, type Resource } from './representation.ts'

/**
 * Resources that were asked for lately, by the path of the target: a file that is asked for again is looked at with one
 * `stat` and neither opened nor read.
 */
export class Resources {
  readonly #byPath = new Map<string, Resource>()
  #octets = 0
  #sweeper: NodeJS.Timeout | undefined
  #open = 0

  /** What is known of a path and still true, else undefined. */
  get(path: string, nowMs: number): Resource | undefined {
    const resource = this.#byPath.get(path)
    if (resource === undefined) return undefined
    if (Math.abs(nowMs - resource.readAt) < LIMIT_AGE_MS && isCurrent(resource.plain, nowMs)) return resource
    this.#drop(path, resource)
    return undefined
  }

  set(path: string, resource: Resource): void {
    const last = this.#byPath.get(path)
    if (last !== undefined) this.#drop(path, last)
    this.#byPath.set(path, resource)
    this.#octets += octetsOf(resource)
    this.#open += openFiles(resource)
    this.#sweeper ??= setTimeout(() => this.#sweep(), LIMIT_AGE_MS).unref()
    for (const [oldest, held] of this.#byPath) {
      const isWithin = this.#byPath.size <= LIMIT_RESOURCES && this.#octets <= LIMIT_OCTETS
      if (isWithin && this.#open <= LIMIT_OPEN) break
      this.#drop(oldest, held)
    }
  }

  /** Nothing stays open for a folder that nobody asks, such as one that left the Plan. */
  #sweep(): void {
    const nowMs = Date.now()
    for (const [path, resource] of this.#byPath) {
      if (Math.abs(nowMs - resource.readAt) >= LIMIT_AGE_MS) this.#drop(path, resource)
    }
    const isEmpty = this.#byPath.size === 0
    this.#sweeper = isEmpty ? undefined : setTimeout(() => this.#sweep(), LIMIT_AGE_MS).unref()
  }

  #drop(path: string, resource: Resource): void {
    this.#byPath.delete(path)
    this.#octets -= octetsOf(resource)
    this.#open -= openFiles(resource)
    closeResource(resource)
  }
}

/** After it, compressed files that are new and links that lead elsewhere are found. */
const LIMIT_AGE_MS = 1000
const LIMIT_RESOURCES = 4096
const LIMIT_OCTETS = 16 * 2 ** 20
/** Descriptors of those that are not held in memory. */
const LIMIT_OPEN = 64

function octetsOf({ plain, compressed }: Resource): number {
  return [plain, ...compressed].reduce((total, { octets }) => total + (octets?.length ?? 0), 0)
}

function openFiles({ plain, compressed }: Resource): number {
  return [plain, ...compressed].filter(({ file }) => file !== null).length
}
