import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import { isOnDemand, type OnDemandPlan } from './plan.ts'

/** Certificates for names that nobody wrote: ordered when a client asks for them, and a service of yours agrees. */
export type OnDemand = {
  /** names that were granted, in the order in which they were */
  names(): readonly string[]
  /**
   * A client asks for a name that no certificate has.
   *
   * @returns whether there is one now, or a stand-in while it is ordered
   */
  ask(name: string, plan: OnDemandPlan): Promise<boolean>
}

export type OnDemandOptions = {
  readonly stateFolder: string
  /** Serve certificates for `names()` too; done when a stand-in is there. */
  readonly grant: () => Promise<void>
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly log: Log
}

const HOUR = 3_600_000
const ASK_TIMEOUT_MS = 5000
/** Names that are asked about at a time; a scan of names must not become a flood of questions. */
const ASKED_AT_ONCE = 16
const REFUSALS_KEPT = 10_000
/** A service that fails is asked again sooner than one that refused. */
const FAILED_MS = 10_000

/** @throws {Error} when the names of before cannot be read */
export async function openOnDemand({ stateFolder, grant, now, log }: OnDemandOptions): Promise<OnDemand> {
  const path = join(stateFolder, 'acme', 'on-demand.json')
  const granted = new Map(readGranted(await readIfThere(path)))
  const refusedUntil = new Map<string, number>()
  const asked = new Map<string, Promise<boolean>>()

  function ask(name: string, plan: OnDemandPlan): Promise<boolean> {
    const known = asked.get(name)
    if (known !== undefined) return known
    if (!isOnDemand(name, plan) || (refusedUntil.get(name) ?? 0) > now()) return Promise.resolve(false)
    // A worker that has not heard of it yet.
    if (granted.has(name)) return Promise.resolve(true)
    const limit = limitReached(plan)
    if (limit !== null || asked.size >= ASKED_AT_ONCE) {
      log('debug', 'on-demand certificate refused', { name, why: limit ?? 'too many names at once' })
      return Promise.resolve(false)
    }
    const decided = decide(name, plan)
      .catch((error: unknown) => {
        log('error', 'on-demand certificate failed', { name, error: String(error) })
        return false
      })
      .finally(() => asked.delete(name))
    asked.set(name, decided)
    return decided
  }

  function limitReached({ perHour, most }: OnDemandPlan): string | null {
    if (granted.size >= most) return `${most} names have one`
    const recent = [...granted.values()].filter((at) => at > now() - HOUR).length
    return recent >= perHour ? `${perHour} were ordered within an hour` : null
  }

  async function decide(name: string, plan: OnDemandPlan): Promise<boolean> {
    const status = await statusFor(name, plan.ask)
    if (status < 200 || status > 299) {
      remember(name, now() + (status >= 400 && status <= 499 ? plan.refusedMs : FAILED_MS))
      log('info', 'on-demand certificate refused', { name, status })
      return false
    }
    const limit = limitReached(plan)
    if (limit !== null) {
      log('warning', 'on-demand certificate refused', { name, why: limit })
      return false
    }
    granted.set(name, now())
    await replaceFile(path, JSON.stringify([...granted]), 0o600)
    log('info', 'on-demand certificate granted', { name })
    await grant()
    return true
  }

  function remember(name: string, until: number): void {
    refusedUntil.delete(name)
    refusedUntil.set(name, until)
    for (const oldest of refusedUntil.keys()) {
      if (refusedUntil.size <= REFUSALS_KEPT) break
      refusedUntil.delete(oldest)
    }
  }

  return { names: () => [...granted.keys()], ask }
}

/** The status that the service answers with; 0 when it does not. */
async function statusFor(name: string, ask: string): Promise<number> {
  const url = new URL(ask)
  url.searchParams.set('domain', name)
  try {
    const signal = AbortSignal.timeout(ASK_TIMEOUT_MS)
    const response = await fetch(url, { redirect: 'manual', signal })
    await response.body?.cancel()
    return response.status
  } catch {
    return 0
  }
}

function readGranted(text: string | null): [string, number][] {
  try {
    const value: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(value) ? value.filter(isGranted) : []
  } catch {
    return []
  }
}

function isGranted(value: unknown): value is [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number'
}
