import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import type { LivePlan } from './plan.ts'
import { Register, type RegisterOptions } from './register.ts'
import type { AskLive, LiveTold } from './request.ts'

/** The registers of all folders, on the thread that has them. */
export type Registers = {
  readonly ask: AskLive
  /** Put the routes of a Plan to use: what was on air is read again from their folders. */
  replace(plans: readonly LivePlan[]): void
  /** A worker has died: the encoders that sent to it are cut off. */
  forgetWorker(worker: number): void
  all(): readonly Register[]
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
      sweep()
    },
    forgetWorker(worker) {
      for (const register of registers.values()) register.forgetWorker(worker)
    },
    all: () => [...registers.values()],
    close() {
      clearInterval(timer)
      for (const register of registers.values()) register.close()
    },
  }
}
