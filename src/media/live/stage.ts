import { type Refusal, refuse } from '#http/wire/refusal.ts'
import { Feed } from '#media/live/encoder/feed.ts'
import { Viewers } from '#media/live/view/viewers.ts'
import { Broadcast } from './broadcast.ts'
import { broadcastFolder } from './folder.ts'
import { readBroadcast } from './journal.ts'
import type { LivePlan } from './plan.ts'
import type { AskLive, Fed, LiveAsk, LiveReply, LiveTold } from './request.ts'

type Waiter = { readonly isDue: () => boolean; readonly settle: (isDue: boolean) => void }

/** Each is a request that its connection holds. */
const LIMIT_WAITERS = 20_000
/** Recordings whose index is held because somebody has just asked for them. */
const LIMIT_RECORDINGS = 16

/** Their sources have long been told. */
const LIMIT_ENDED = 1000
const ENDED = refuse(410, 'the stream was ended')

/** What is on air from one folder, as one worker knows it: it is told all that the register is. */
export class Stage {
  readonly root: string
  /** of the route that was made last; null before */
  plan: LivePlan | null = null
  readonly viewers: Viewers = new Viewers()
  readonly #ask: AskLive
  readonly #worker: number
  readonly #feeds = new Map<string, Feed>()
  /** streams that were ended and have not begun anew, by their sources */
  readonly #ended = new Set<string>()
  readonly #broadcasts = new Map<string, Broadcast>()
  readonly #recordings = new Map<string, Promise<Broadcast | null>>()
  readonly #waiters = new Set<Waiter>()
  #opening: Promise<void> | undefined
  #isOpen = false

  constructor(root: string, worker: number, ask: AskLive) {
    this.root = root
    this.#worker = worker
    this.#ask = ask
  }

  ask(ask: LiveAsk): Promise<LiveReply> {
    return this.#ask({ root: this.root, ask })
  }

  /** The broadcast of a stream that is on air, or was last. */
  async find(stream: string): Promise<Broadcast | undefined> {
    if (!this.#isOpen) await this.#open()
    return this.#broadcasts.get(stream)
  }

  /** A broadcast by its id, also one that is over for long. */
  async findBroadcast(stream: string, id: string): Promise<Broadcast | undefined> {
    const newest = await this.find(stream)
    if (newest?.id === id) return newest
    const key = `${stream}/${id}`
    let found = this.#recordings.get(key)
    if (found === undefined) {
      found = readBroadcast(this.root, stream, id).then((read) => read?.broadcast ?? null)
      this.#recordings.set(key, found)
      const [oldest] = this.#recordings.keys()
      if (this.#recordings.size > LIMIT_RECORDINGS) this.#recordings.delete(oldest!)
    }
    const broadcast = await found
    if (broadcast === null) this.#recordings.delete(key)
    return broadcast ?? undefined
  }

  folderOf({ stream, id }: Broadcast): string {
    return broadcastFolder(this.root, stream, id)
  }

  /** What this worker follows, for those who count it. */
  broadcasts(): Broadcast[] {
    return [...this.#broadcasts.values()]
  }

  /** Octets of an encoder that has no request of its own to this worker. */
  feed(fed: Fed): Promise<Refusal | null> {
    const { stream } = fed
    const { plan } = this
    if (plan === null) return Promise.resolve(refuse(503, 'this worker does not serve the stream yet'))
    let feed = this.#feeds.get(stream)
    if (feed === undefined) {
      if (fed.octets === null) return Promise.resolve(null)
      // What is left in the pipe of a stream that was ended is no new one.
      if (fed.file === null && !fed.begins && this.#ended.has(stream)) return Promise.resolve(ENDED)
      feed = new Feed({ desk: this, stream, plan, worker: this.#worker }, () => {
        this.#feeds.delete(stream)
        this.ask({ kind: 'yield', stream, worker: this.#worker }).catch(() => {})
      })
      this.#feeds.set(stream, feed)
    }
    if (this.#ended.size > LIMIT_ENDED) this.#ended.clear()
    if (fed.octets === null) this.#ended.add(stream)
    else if (fed.begins) this.#ended.delete(stream)
    return feed.take(fed)
  }

  told({ stream, id, news }: LiveTold): void {
    // Before the register has said what there is, news is part of its answer.
    if (!this.#isOpen) return
    if (news === null) {
      if (this.#broadcasts.get(stream)?.id === id) this.#broadcasts.delete(stream)
    } else {
      this.#follow(stream, id).apply(news)
    }
    for (const waiter of this.#waiters) if (waiter.isDue()) waiter.settle(true)
  }

  /**
   * Wait for news.
   *
   * @returns false when the time is over first, or too many wait
   */
  wait(isDue: () => boolean, limitMs: number): Promise<boolean> {
    if (isDue()) return Promise.resolve(true)
    if (this.#waiters.size >= LIMIT_WAITERS) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (due: boolean): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        resolve(due)
      }
      const timer = setTimeout(() => settle(false), limitMs).unref()
      const waiter = { isDue, settle }
      this.#waiters.add(waiter)
    })
  }

  #open(): Promise<void> {
    this.#opening ??= this.ask({ kind: 'open' }).then(
      (reply) => {
        if (reply.kind !== 'open') return
        for (const { stream, id, news } of reply.broadcasts) {
          const broadcast = this.#follow(stream, id)
          for (const item of news) broadcast.apply(item)
        }
        this.#isOpen = true
      },
      (error: unknown) => {
        this.#opening = undefined
        throw error
      },
    )
    return this.#opening
  }

  #follow(stream: string, id: string): Broadcast {
    const followed = this.#broadcasts.get(stream)
    if (followed?.id === id) return followed
    const broadcast = new Broadcast(stream, id)
    this.#broadcasts.set(stream, broadcast)
    return broadcast
  }
}
