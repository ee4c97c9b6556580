import { ClosedStreams } from './closed-streams.ts'
import type { Stream } from './stream.ts'

/** The streams of one connection: those that are open, and how the others stand (RFC 9113 §5.1). */
export class Streams {
  readonly open: Map<number, Stream> = new Map()
  readonly #closed = new ClosedStreams()
  /** the highest that the client has opened (RFC 9113 §5.1.1) */
  lastId = 0

  /** How a stream stands that is not open. Servers open none, so even ones stay idle for ever. */
  stateOf(id: number): 'idle' | 'reset' | 'ended' | 'skipped' {
    if (id > this.lastId || id % 2 === 0) return 'idle'
    return this.#closed.find(id) ?? 'skipped'
  }

  /** @param isReset we sent RST_STREAM while the client could still be sending */
  close(id: number, isReset: boolean): void {
    this.open.delete(id)
    this.#closed.note(id, isReset)
  }
}
