import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import { audienceKey } from '#media/live/view/viewers.ts'
import type { Broadcast } from './broadcast.ts'
import type { LivePlan } from './plan.ts'
import { Register, type RegisterOptions } from './register.ts'
import type { AskLive, LiveTold } from './request.ts'
import { createSources, type SourceWanted } from './sources.ts'
import { type LiveStatus, liveStatus } from './status.ts'

/** The registers of all folders, on the thread that has them. */
export type Registers = {
  readonly ask: AskLive
  /** Put the routes of a Plan to use: what was on air is read again from their folders. */
  replace(plans: readonly LivePlan[]): void
  /** A worker has died: the encoders that sent to it are cut off. */
  forgetWorker(worker: number): void
  /**
   * Broadcasts of all folders, and the programs that bring some of them.
   *
   * @param viewers how many watch each, by `audienceKey`
   */
  status(viewers: ReadonlyMap<string, number>): LiveStatus
  /** A broadcast as it is at this moment, by folder as written and name. */
  find(root: string, stream: string): Broadcast | undefined
  close(): void
}

export type RegistersOptions = {
  /** folder of the file */
  readonly folder: string
  readonly now: () => number
  /** tells all workers */
  readonly tell: (told: LiveTold) => void
  /** hands octets to a worker */
  readonly feed: RegisterOptions['feed']
  readonly log: Log
}

const SWEEP_EVERY_MS = 600_000

/** Create the registers. */
export function createRegisters({ folder, now, tell, feed, log }: RegistersOptions): Registers {
  const registers = new Map<string, Register>()
  const timer = setInterval(sweep, SWEEP_EVERY_MS).unref()
  const sources = createSources(log)

  function wantedOf(plan: LivePlan): SourceWanted[] {
    const root = resolve(folder, plan.root)
    const register = registers.get(root)!
    return plan.sources.map(({ name: stream, url }) => ({
      ...{ key: JSON.stringify([root, stream, url]), stream, url },
      async feed(fed) {
        const led = await register.ask({ kind: 'lead', stream, worker: 0 })
        return feed(led.kind === 'led' ? led.worker : 0, { root, fed })
      },
    }))
  }

  function sweep(): void {
    for (const register of registers.values()) {
      register.sweep().catch((error: unknown) => log('warning', 'live/sweep', { error: String(error) }))
    }
  }

  return {
    async ask({ root, ask }) {
      const register = registers.get(root)
      if (register === undefined) throw new Error(`No route has live streams in ${root}`)
      return register.ask(ask)
    },
    replace(plans) {
      for (const plan of plans) {
        const root = resolve(folder, plan.root)
        const register = registers.get(root)
        // What left the Plan may still be sent and watched, by those who began before.
        if (register === undefined) registers.set(root, new Register({ root, plan, now, tell, feed, log }))
        else register.plan = plan
      }
      sources.replace(plans.flatMap(wantedOf))
      sweep()
    },
    forgetWorker(worker) {
      for (const register of registers.values()) register.forgetWorker(worker)
    },
    status: (viewers) =>
      liveStatus(
        Array.from(registers, ([root, register]) =>
          register.broadcasts().map((broadcast) => {
            return { broadcast, viewers: viewers.get(audienceKey(root, broadcast.stream)) ?? 0 }
          }),
        ).flat(),
        sources.states(),
        now(),
      ),
    find: (root, stream) => registers.get(resolve(folder, root))?.find(stream),
    close() {
      clearInterval(timer)
      sources.close()
      for (const register of registers.values()) register.close()
    },
  }
}
