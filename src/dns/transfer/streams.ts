import type { ErrandReply } from './gate.ts'

/** Transfers that are under way. */
export type Streams = {
  /** The first messages; undefined when too many transfers are under way. */
  begin(messages: Iterator<Uint8Array>): ErrandReply | undefined
  /** The next ones; none when it was given up meanwhile. */
  goOn(number: number): ErrandReply
  close(): void
}

/** At once, all zones together. */
const STREAM_LIMIT = 64
/** Messages that are written at a time, of 16 KiB each; then others have their turn. */
const BATCH = 16
/** A client that takes nothing for so long has gone. */
const IDLE_MS = 60_000

/** Give out messages as they are asked for, so that a slow client does not fill memory. */
export function createStreams(): Streams {
  const open = new Map<number, { readonly messages: Iterator<Uint8Array>; readonly timer: NodeJS.Timeout }>()
  let last = 0

  function give(messages: Iterator<Uint8Array>): ErrandReply {
    const batch: Uint8Array[] = []
    while (batch.length < BATCH) {
      const { value, done } = messages.next()
      if (done === true) return { messages: batch, more: null }
      batch.push(value)
    }
    const number = ++last
    open.set(number, { messages, timer: setTimeout(() => open.delete(number), IDLE_MS).unref() })
    return { messages: batch, more: number }
  }

  return {
    begin: (messages) => (open.size < STREAM_LIMIT ? give(messages) : undefined),
    goOn(number) {
      const stream = open.get(number)
      if (stream === undefined) throw new Error('The transfer was given up.')
      open.delete(number)
      clearTimeout(stream.timer)
      return give(stream.messages)
    },
    close() {
      for (const { timer } of open.values()) clearTimeout(timer)
      open.clear()
    },
  }
}
