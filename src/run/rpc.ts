import { messageOf } from '#core/errors.ts'

/** What one side lets the other call: procedures of one value each, which survives structured clone. */
export type Procedures = Readonly<Record<string, (value: never) => unknown>>

/** A thread at the other end of a port. */
export type Remote<Theirs extends Procedures> = {
  /**
   * Call a procedure and wait for its answer.
   *
   * @throws {Error} with the message that it threw there
   * @throws {Unanswered} when it took longer than `timeoutMs`, or the other side is gone
   */
  call<Name extends keyof Theirs & string>(
    name: Name,
    value: Parameters<Theirs[Name]>[0],
    timeoutMs?: number,
  ): Promise<Awaited<ReturnType<Theirs[Name]>>>
  /** Call a procedure and hear no more of it. */
  tell<Name extends keyof Theirs & string>(name: Name, value: Parameters<Theirs[Name]>[0]): void
  /** The other side is gone: what waits for an answer gets none, and neither does what comes. */
  end(why: string): void
}

/** The part of a `MessagePort` or a `Worker` that is used here. */
export type Port = {
  postMessage(message: unknown): void
  on(event: 'message', listener: (message: unknown) => void): unknown
}

/** There was no answer: the other thread has died, or is busy for too long. */
export class Unanswered extends Error {}

type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly value: unknown }
  | { readonly kind: 'tell'; readonly name: string; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string }

const TIMEOUT_MS = 10_000
/** Calls that wait for an answer: a thread that owes more has stopped. */
const LIMIT_CALLS = 10_000

/**
 * Talk to another thread.
 *
 * @param ours what the other side may call
 * @example const main = connect<MainProcedures>(parentPort, { ping: () => 'pong' })
 */
export function connect<Theirs extends Procedures>(port: Port, ours: Procedures): Remote<Theirs> {
  type Waiting = { resolve(value: unknown): void; reject(error: Error): void; timer: NodeJS.Timeout }
  const waiting = new Map<number, Waiting>()
  let lastId = 0
  let ended: string | null = null

  port.on('message', (message) => void receive(message as Message))

  async function receive(message: Message): Promise<void> {
    if (message.kind === 'answer') return settle(message.id)?.resolve(message.value)
    if (message.kind === 'failure') return settle(message.id)?.reject(new Error(message.message))
    const { name, value } = message
    const procedure = ours[name] as (value: unknown) => unknown
    if (message.kind === 'tell') return void procedure(value)
    const { id } = message
    try {
      port.postMessage({ kind: 'answer', id, value: await procedure(value) } satisfies Message)
    } catch (error) {
      const text = messageOf(error)
      port.postMessage({ kind: 'failure', id, message: text } satisfies Message)
    }
  }

  function settle(id: number): Waiting | undefined {
    const found = waiting.get(id)
    waiting.delete(id)
    clearTimeout(found?.timer)
    return found
  }

  function call(name: string, value: unknown, timeoutMs = TIMEOUT_MS): Promise<unknown> {
    if (ended !== null) return Promise.reject(new Unanswered(ended))
    if (waiting.size >= LIMIT_CALLS) return Promise.reject(new Unanswered(`${LIMIT_CALLS} calls wait`))
    const id = ++lastId
    return new Promise((resolve, reject) => {
      const late = (): void => settle(id)?.reject(new Unanswered(`${name}: no answer in ${timeoutMs} ms`))
      // Whoever was busy for longer than that itself finds the answer first, which has come meanwhile.
      waiting.set(id, { resolve, reject, timer: setTimeout(() => setImmediate(late), timeoutMs) })
      port.postMessage({ kind: 'call', id, name, value } satisfies Message)
    })
  }

  return {
    call: call as Remote<Theirs>['call'],
    tell(name, value) {
      if (ended === null) port.postMessage({ kind: 'tell', name, value } satisfies Message)
    },
    end(why) {
      ended = why
      for (const id of [...waiting.keys()]) settle(id)?.reject(new Unanswered(why))
    },
  }
}
