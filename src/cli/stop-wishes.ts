import { closeSync, openSync } from 'node:fs'

/** What a person or a supervisor asks for with SIGINT or SIGTERM, or by closing the terminal. */
export type StopWishes = {
  /** stop when requests under way have finished */
  readonly gently: Promise<void>
  /** asked again: stop now */
  readonly atOnce: Promise<void>
}

/** npm passes Ctrl-C on as well: the same key press arrives twice, and is one wish. */
const SAME_WISH_MS = 500

/**
 * Listen for wishes to stop from now on; without this the process would end in the middle of its work.
 *
 * @param onHangup called for a SIGHUP that somebody sent
 */
export function hearStopWishes(onHangup: () => void): StopWishes {
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
  // A terminal that is closed says so with the signal that asks for a reload. With nohup nothing is printed on it.
  const isOnTerminal = process.stdout.isTTY && process.stderr.isTTY
  process.on('SIGHUP', () => (isOnTerminal && !hasTerminal() ? onSignal() : onHangup()))
  return { gently: gently.promise, atOnce: atOnce.promise }
}

/** Whether this process still has the terminal that it was started on. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
