import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import type { ProcessPlan } from './plan.ts'
import { createProcess, type ProcessState, type RunningProcess } from './process.ts'

/** Starts the processes of the Plan, restarts those that end, and stops those that left the Plan. */
export type Supervisor = {
  /** Put a Plan to use: what is equal goes on; what changed is started anew, and the old one ends when the new answers. */
  replace(plans: readonly ProcessPlan[]): void
  /** Where a process answers, or null while it does not. */
  portOf(id: string): number | null
  /** Where each answers, by its id. */
  ports(): ReadonlyMap<string, number | null>
  states(): ProcessState[]
  /**
   * Stop all; resolves when none is left.
   *
   * @param atOnce also of those that were asked to stop before and have not ended: kill them
   */
  stop(atOnce: boolean): Promise<void>
}

export type SupervisorOptions = {
  /** folder that relative `cwd`s start from */
  readonly folder: string
  readonly log: Log
  /** a line of a process's output */
  readonly output: (name: string, line: string) => void
  /** who holds a TCP port of this machine, in words */
  readonly holderOf: (port: number) => Promise<string | undefined>
  /** where a process answers has changed */
  readonly onPort?: () => void
}

/** @example createSupervisor(options).replace(plan.processes) */
export function createSupervisor(options: SupervisorOptions): Supervisor {
  const { onPort = () => {} } = options
  type Slot = { plan: ProcessPlan; current: RunningProcess; next: RunningProcess | null }
  const slots = new Map<string, Slot>()
  const ending = new Map<RunningProcess, Promise<void>>()

  function start(plan: ProcessPlan, onAnswer: () => void): RunningProcess {
    return createProcess({ ...options, plan, cwd: resolve(options.folder, plan.cwd), onAnswer, onPort })
  }

  function end(process: RunningProcess): void {
    ending.set(
      process,
      process.stop().finally(() => ending.delete(process)),
    )
  }

  function change(slot: Slot, plan: ProcessPlan): void {
    slot.plan = plan
    if (slot.next !== null) end(slot.next)
    slot.next = null
    // A port of its own choice cannot be held by two: there is a gap, which the file asked for.
    if (plan.port !== 0 || slot.current.state().port === null) {
      end(slot.current)
      slot.current = start(plan, () => {})
      return
    }
    const next = start(plan, () => {
      if (slot.next !== next) return
      end(slot.current)
      slot.current = next
      slot.next = null
    })
    slot.next = next
  }

  return {
    replace(plans) {
      const wanted = new Map(plans.map((plan) => [plan.id, plan]))
      for (const [id, slot] of slots) {
        if (wanted.has(id)) continue
        end(slot.current)
        if (slot.next !== null) end(slot.next)
        slots.delete(id)
      }
      for (const plan of wanted.values()) {
        const slot = slots.get(plan.id)
        if (slot === undefined) slots.set(plan.id, { plan, current: start(plan, () => {}), next: null })
        else if (slot.plan.key !== plan.key) change(slot, plan)
      }
      onPort()
    },
    portOf: (id) => slots.get(id)?.current.state().port ?? null,
    ports: () => new Map(Array.from(slots, ([id, { current }]) => [id, current.state().port])),
    states: () => [...slots.values()].map(({ current }) => current.state()),
    async stop(atOnce) {
      this.replace([])
      if (atOnce) for (const process of ending.keys()) process.kill()
      await Promise.all(ending.values())
    },
  }
}
