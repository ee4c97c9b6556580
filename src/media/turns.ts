/** Who comes first when reads of films have to wait: players that have run empty, then others, then what is made ahead. */
export type Urgency = 'starving' | 'usual' | 'ahead'

/** Lets so many reads go on at a time; a read is of few MiB, which it holds in memory. */
export type Turns = {
  /** Wait for a turn, do this, and let the next one begin. */
  run<T>(urgency: Urgency, task: () => Promise<T>): Promise<T>
}

/** @param limit reads at a time */
export function createTurns(limit: number): Turns {
  const waiting: Readonly<Record<Urgency, (() => void)[]>> = { starving: [], usual: [], ahead: [] }
  let running = 0

  function next(): void {
    running--
    const first = waiting.starving.shift() ?? waiting.usual.shift() ?? waiting.ahead.shift()
    if (first === undefined) return
    running++
    first()
  }

  return {
    async run(urgency, task) {
      // Each that waits belongs to a response under way, of which there are no more than connections let in.
      if (running >= limit) await new Promise<void>((resolve) => waiting[urgency].push(resolve))
      else running++
      try {
        return await task()
      } finally {
        next()
      }
    },
  }
}
