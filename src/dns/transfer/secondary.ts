import type { Log } from '#core/log.ts'
import type { TsigKey } from '../wire/tsig.ts'
import { type Copy, expiredVersion, isTooOld, placeOf, touchCopy, writeCopy } from './copies.ts'
import { count, type MoveCounts } from './counts.ts'
import {
  applyDifference,
  isNewer,
  recordKey,
  recordsOf,
  soaOf,
  type Version,
  zoneOfRecords,
} from './difference.ts'
import { fetchZone } from './fetch.ts'
import type { Received } from './incoming.ts'
import type { MovePlan, SecondaryPlan } from './plan.ts'
import { toWire } from './reply.ts'

/** A zone that is copied from its primaries, and kept in step. */
export type Secondary = {
  readonly move: MovePlan
  /** what is served now */
  current(): Version
  state(): SecondaryState
  /** A primary says that the zone changed (RFC 1996 §3.11). */
  poke(): void
  close(): void
}

export type SecondaryState = {
  readonly apex: string
  readonly serial: number | null
  readonly isExpired: boolean
  /** milliseconds since 1970; null: never */
  readonly checkedAtMs: number | null
  readonly nextCheckAtMs: number
  /** why the last try failed; null when it did not */
  readonly lastFault: string | null
}

export type SecondaryOptions = {
  readonly move: MovePlan & { readonly secondary: SecondaryPlan }
  readonly key: () => TsigKey | null
  /** in state */
  readonly folder: string
  readonly kept: Copy | null
  /** Fetch when it is its turn: not all zones at once. */
  readonly inSlot: <Value>(task: () => Promise<Value>) => Promise<Value>
  /** Serve another version; done when it is served. */
  readonly onVersion: (version: Version) => Promise<void>
  readonly counts: MoveCounts
  readonly log: Log
}

/** Seconds: a SOA must not make us ask without a pause, nor never again. */
const PAUSE_SECONDS = { min: 1, max: 604_800 }
/** Between two tries, however often somebody says in a primary's name that the zone changed. */
const POKE_PAUSE_MS = 250
/** Until a first copy is there nobody said how often to ask: less often with each try, down to once a minute. */
const FIRST_RETRY_SECONDS = { min: 1, max: 60 }

/** Keep a zone in step with its primaries by the timers of its SOA (RFC 1034 §4.3.5, RFC 1035 §3.3.13). */
export function createSecondary(options: SecondaryOptions): Secondary {
  const { move, key, folder, kept, inSlot, onVersion, counts, log } = options
  const zone = move.apex.slice(0, -1)
  const stopping = new AbortController()
  let good = kept?.version ?? null
  let checkedAtMs = kept?.checkedAtMs ?? null
  let isExpired = kept === null || isTooOld(kept)
  let lastFault: string | null = null
  let nextCheckAtMs = Date.now()
  let checking: Promise<void> | null = null
  let isPoked = false
  let startedAtMs = 0
  let firstRetrySeconds: number = FIRST_RETRY_SECONDS.min
  let timer: NodeJS.Timeout | undefined

  function current(): Version {
    return good === null || isExpired ? expiredVersion(move, good) : good
  }

  async function check(): Promise<void> {
    const faults: string[] = []
    for (const server of move.secondary.from) {
      const received = await inSlot(() => fetchNew(server))
      if (stopping.signal.aborted) return
      const fault = typeof received === 'string' ? received : await take(received)
      count(counts.in, typeof received === 'string' || fault !== undefined ? 'failed' : received.kind)
      if (fault === undefined) {
        lastFault = null
        return wait(good!.plan.soa.refresh)
      }
      faults.push(`${server.address} port ${server.port}: ${fault}`)
    }
    lastFault = faults.join('; ')
    log('warning', 'dns: zone not copied', { zone, why: lastFault })
    if (!isExpired && good !== null && isTooOld({ version: good, checkedAtMs: checkedAtMs ?? 0 })) {
      isExpired = true
      log('error', 'dns: copy expired', { zone, serial: good.serial })
      await onVersion(current())
    }
    const soa = good?.plan.soa
    wait(soa === undefined ? nextFirstRetry() : Math.min(soa.retry, secondsLeft(soa.expire)))
  }

  function nextFirstRetry(): number {
    const seconds = firstRetrySeconds
    firstRetrySeconds = Math.min(2 * seconds, FIRST_RETRY_SECONDS.max)
    return seconds
  }

  /** Until the copy expires; while it has, as often as there are tries. */
  function secondsLeft(expire: number): number {
    const left = expire - (Date.now() - (checkedAtMs ?? 0)) / 1000
    return left > 0 ? left : Number.POSITIVE_INFINITY
  }

  async function fetchNew(server: SecondaryPlan['from'][number]): Promise<Received | string> {
    const soa = good === null ? null : { record: toWire(soaOf(good)), serial: good.serial }
    const request = { apex: move.apex, key: key(), signal: stopping.signal }
    const received = await fetchZone(server, { ...request, soa })
    // A server without IXFR, or with changes that do not fit: all of it then (RFC 1995 §4).
    const isOk = typeof received !== 'string' && (received.kind !== 'changes' || versionOf(received) !== null)
    if (isOk || soa === null || stopping.signal.aborted) return received
    return fetchZone(server, { ...request, soa: null })
  }

  async function take(received: Received): Promise<string | undefined> {
    if (received.kind === 'up to date') {
      // RFC 1982 §3.2: a primary behind us is one that lost something, or is not the newest.
      if (good !== null && isNewer(good.serial, received.serial))
        return `its serial ${received.serial} is behind ours, ${good.serial}`
      checkedAtMs = Date.now()
      await touchCopy(folder, move.apex)
      if (!isExpired) return undefined
      isExpired = false
      await onVersion(current())
      return undefined
    }
    const next = versionOf(received)
    if (next === null) return 'its changes do not fit our copy'
    await writeCopy(folder, next)
    good = next
    checkedAtMs = Date.now()
    isExpired = false
    log('info', 'dns: zone copied', { zone, serial: next.serial, by: received.kind })
    await onVersion(next)
    return undefined
  }

  function versionOf(received: Exclude<Received, { kind: 'up to date' }>): Version | null {
    const { serial, soa } = received
    const place = { ...placeOf(move), soa }
    if (received.kind === 'whole') return { plan: zoneOfRecords(received.records, place), serial }
    if (good === null) return null
    const records = new Map([...recordsOf(good)].slice(1).map((record) => [recordKey(record), record]))
    const isWhole = received.changes.every((change) => applyDifference(records, change))
    return isWhole ? { plan: zoneOfRecords(records.values(), place), serial } : null
  }

  function wait(seconds: number): void {
    const pause = Math.min(Math.max(seconds, PAUSE_SECONDS.min), PAUSE_SECONDS.max)
    nextCheckAtMs = Date.now() + pause * 1000
    clearTimeout(timer)
    timer = setTimeout(run, pause * 1000)
  }

  function run(): void {
    isPoked = false
    startedAtMs = Date.now()
    clearTimeout(timer)
    checking ??= check()
      .catch((error: unknown) => {
        lastFault = String(error)
        log('error', 'dns: zone not copied', { zone, why: lastFault })
        wait(FIRST_RETRY_SECONDS.max)
      })
      .finally(() => {
        checking = null
        if (isPoked && !stopping.signal.aborted) runSoon()
      })
  }

  function runSoon(): void {
    clearTimeout(timer)
    timer = setTimeout(run, Math.max(0, startedAtMs + POKE_PAUSE_MS - Date.now()))
  }

  run()
  return {
    move,
    current,
    state: () => ({
      apex: move.apex,
      serial: good?.serial ?? null,
      isExpired,
      checkedAtMs,
      nextCheckAtMs,
      lastFault,
    }),
    poke() {
      if (checking === null) runSoon()
      else isPoked = true
    },
    close() {
      stopping.abort()
      clearTimeout(timer)
    },
  }
}
