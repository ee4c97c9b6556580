/** Collects what a thread says and hands it on a few times a second: a message a thing would cost more than the thing. */
export type Outbox<Thing> = {
  add(thing: Thing): void
  /** Hand on what is there now. */
  flush(): void
}

export type OutboxOptions<Thing> = {
  readonly send: (things: readonly Thing[]) => void
  /** how many are held; beyond, they are dropped rather than held in memory */
  readonly limit: number
  /** Called at the next sending, when some were. */
  readonly onDrop: (count: number) => void
}

const EVERY_MS = 20

/** @example const outbox = createOutbox({ send, limit: 1000, onDrop }); outbox.add(record) */
export function createOutbox<Thing>({ send, limit, onDrop }: OutboxOptions<Thing>): Outbox<Thing> {
  let things: Thing[] = []
  let dropped = 0
  let timer: NodeJS.Timeout | undefined

  function add(thing: Thing): void {
    if (things.length >= limit) dropped++
    else things.push(thing)
    timer ??= setTimeout(flush, EVERY_MS).unref()
  }

  function flush(): void {
    clearTimeout(timer)
    timer = undefined
    const [sent, lost] = [things, dropped]
    things = []
    dropped = 0
    if (sent.length > 0) send(sent)
    if (lost > 0) onDrop(lost)
  }

  return { add, flush }
}
