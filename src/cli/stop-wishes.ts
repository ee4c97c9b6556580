/** What a person or a supervisor asks for with SIGINT or SIGTERM. */
export type StopWishes = {
  /** stop when requests under way have finished */
  readonly gently: Promise<void>
  /** asked again: stop now */
  readonly atOnce: Promise<void>
}

/** npm passes Ctrl-C on as well: the same key press arrives twice, and is one wish. */
const SAME_WISH_MS = 500

/** Listen for wishes to stop from now on; without this the process would end in the middle of its work. */
export function hearStopWishes(): StopWishes {
  const gently = Promise.withResolvers<void>()
  const atOnce = Promise.withResolvers<void>()
  let heardAt = Number.NEGATIVE_INFINITY
  function onSignal(): void {
    const now = performance.now()
    if (heardAt === Number.NEGATIVE_INFINITY) gently.resolve()
    else if (now - heardAt >= SAME_WISH_MS) atOnce.resolve()
    heardAt = now
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return { gently: gently.promise, atOnce: atOnce.promise }
}
