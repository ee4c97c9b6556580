/** How often connections are looked at: timeouts are late by up to this. */
export const TICK_MS = 250

/** A peer that vanished without a word is found out after this time, also in a tunnel that nobody speaks in. */
export const TCP_PROBE_MS = 60_000

/**
 * A coarse clock that a server shares with its connections: no timer, no date and no system call a request.
 */
export type Clock = {
  /** monotonic milliseconds at the last tick */
  nowMs: number
  /** the Date field line with its CRLF (RFC 9110 §6.6.1) */
  dateLine: string
  stop(): void
}

/** @param onTick called every `TICK_MS`, after the clock moved on */
export function startClock(onTick: () => void): Clock {
  const timer = setInterval(tick, TICK_MS)
  let second = 0
  const clock: Clock = { nowMs: 0, dateLine: '', stop: () => clearInterval(timer) }
  move()
  return clock

  function tick(): void {
    move()
    onTick()
  }

  function move(): void {
    clock.nowMs = performance.now()
    const unixSecond = Math.floor(Date.now() / 1000)
    if (unixSecond === second) return
    second = unixSecond
    clock.dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`
  }
}
