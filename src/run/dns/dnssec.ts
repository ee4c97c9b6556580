import { join } from 'node:path'
import { messageOf } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import { type Asked, askServer } from '#dns/ask.ts'
import { generateKey } from '#dns/dnssec/key.ts'
import { type KeyedZones, keyZones, type SavedZones } from '#dns/dnssec/keyed-zones.ts'
import { advance, type ParentDs, type RollCommand, type SavedZone, waitsForParent } from '#dns/dnssec/roll.ts'
import { parseSavedZones } from '#dns/dnssec/saved.ts'
import { longestTtl, tagOf } from '#dns/dnssec/zone-keys.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { TYPE } from '#dns/wire/types.ts'
import { parseResolver, systemResolver } from './resolver.ts'

/** Makes and keeps the keys of signed zones, and takes them through roll-overs. */
export type DnssecKeeper = {
  /** Take each zone as far as it can go now; keys are safe on disk before they are used. */
  advance(zones: readonly ZonePlan[]): Promise<KeyedZones>
  /** These are served from now on. */
  commit(keyed: KeyedZones): void
  /** Call `apply`, which prepares and commits, whenever a zone has somewhere to go. */
  watch(apply: () => Promise<void>): void
  /** Do what a person says of a zone; null, or why that cannot be. */
  command(zoneId: string, command: RollCommand): Promise<string | null>
  saved(): SavedZones
  /** what the parent of a zone said when it was asked last */
  parent(zoneId: string): ParentDs
  close(): void
}

export type DnssecOptions = { readonly stateFolder: string; readonly log: Log; readonly now: () => number }

const TICK_MS = 1000
const ASK_TIMEOUT_MS = 5000
/** The parent is asked so often when the zone waits for it, at least; and so often in any case. */
const ASK_WAITING_SECONDS = 300
const ASK_SECONDS = 3600
/** Zones asked about at a time. */
const ASK_LIMIT = 16

/** @throws {Error} when the file of keys is there and cannot be read */
export async function readDnssec(stateFolder: string): Promise<SavedZones> {
  const path = pathIn(stateFolder)
  const text = await readIfThere(path)
  try {
    return parseSavedZones(text)
  } catch (error) {
    const reason = messageOf(error)
    throw new Error(`Cannot use the keys of DNSSEC in ${path}: ${reason}`, { cause: error })
  }
}

/**
 * @param options.now seconds since 1970
 * @throws {Error} when the file of keys is there and cannot be read
 */
export async function loadDnssec({ stateFolder, log, now }: DnssecOptions): Promise<DnssecKeeper> {
  let saved = await readDnssec(stateFolder)
  let served: readonly ZonePlan[] = []
  let servedAs: SavedZones = saved
  let preparedAs: SavedZones = saved
  let timer: NodeJS.Timeout | undefined
  let isBusy = false
  let turn: Promise<unknown> = Promise.resolve()
  let applyNow = async (): Promise<void> => {}
  const commands = new Map<string, RollCommand>()
  const parents = new Map<string, { readonly ds: ParentDs; readonly at: number }>()

  function step(zone: ZonePlan, command: RollCommand | null): SavedZone | undefined {
    const known = saved[zone.id]
    const seen = parents.get(zone.id)
    return advance(known, {
      wanted: zone.dnssec ?? null,
      nowSeconds: Math.floor(now()),
      ttl: longestTtl(zone),
      // What was seen before the phase began says nothing of what is waited for now.
      parent: known !== undefined && seen !== undefined && seen.at >= known.since ? seen.ds : null,
      command,
      newKey: generateKey,
      tagOf,
    })
  }

  /** One step after the other: of two at once the later to be saved would undo the other. */
  function takeOnInTurn(zones: readonly ZonePlan[]): Promise<KeyedZones> {
    const taken = turn.then(() => takeOn(zones))
    turn = taken.catch(() => {})
    return taken
  }

  async function takeOn(zones: readonly ZonePlan[]): Promise<KeyedZones> {
    const next: Record<string, SavedZone> = { ...saved }
    // Others may come while this is written.
    const said = [...commands.keys()]
    for (const zone of zones) {
      const stepped = step(zone, commands.get(zone.id) ?? null)
      if (stepped !== saved[zone.id] && stepped?.phase !== saved[zone.id]?.phase)
        log('info', 'dnssec', { zone: zone.apex, phase: stepped?.phase ?? 'unsigned' })
      if (stepped === undefined) delete next[zone.id]
      else next[zone.id] = stepped
    }
    const text = JSON.stringify(next)
    if (text !== JSON.stringify(saved)) {
      await replaceFile(pathIn(stateFolder), text, 0o600)
      saved = next
    }
    for (const id of said) commands.delete(id)
    preparedAs = saved
    return keyZones(zones, saved)
  }

  /** Whether a zone has somewhere to go. Keys are made only when it goes there. */
  function isDue(): boolean {
    if (servedAs !== saved || commands.size > 0) return true
    return served.some((zone) => {
      const known = saved[zone.id]
      return known !== undefined && step(zone, null) !== known
    })
  }

  async function askParents(): Promise<void> {
    const due = served.filter((zone) => {
      const known = saved[zone.id]
      if (known === undefined) return false
      const at = parents.get(zone.id)?.at ?? 0
      const waiting = Math.min(ASK_WAITING_SECONDS, known.wishes.propagationMs / 1000)
      if (!waitsForParent(known)) return now() - at >= ASK_SECONDS
      return now() - at >= waiting || at < known.since
    })
    await Promise.all(
      due.slice(0, ASK_LIMIT).map(async (zone) => {
        // What is said is as old as the question.
        const at = now()
        const ds = await askDs(zone.apex, saved[zone.id]!.wishes.resolver)
        parents.set(zone.id, { ds, at })
      }),
    )
  }

  async function tick(): Promise<void> {
    if (isBusy) return
    isBusy = true
    try {
      await askParents()
      if (isDue()) await applyNow()
    } catch (error) {
      log('warning', 'dnssec', { error: String(error) })
    } finally {
      isBusy = false
    }
  }

  return {
    advance: takeOnInTurn,
    commit({ zones }) {
      served = zones
      servedAs = preparedAs
    },
    watch(apply) {
      applyNow = apply
      timer = setInterval(() => void tick(), TICK_MS).unref()
    },
    async command(zoneId, command) {
      const phase = saved[zoneId]?.phase
      if (phase === undefined) return 'The domain is not signed.'
      const fitting = command === 'roll' ? phase === 'signed' : ['submitting', 'leaving'].includes(phase)
      if (!fitting) return `"${command}" has to wait: the domain is "${phase}".`
      commands.set(zoneId, command)
      await applyNow()
      return null
    },
    saved: () => saved,
    parent: (zoneId) => parents.get(zoneId)?.ds ?? null,
    close: () => clearInterval(timer),
  }
}

/** What a resolver says of the DS at the parent. */
async function askDs(apex: string, written: string | null): Promise<ParentDs> {
  const resolver: Asked | undefined = written === null ? systemResolver() : parseResolver(written)
  if (resolver === undefined) return null
  const ask = { name: apex, type: 'DS', recursive: true, timeoutMs: ASK_TIMEOUT_MS }
  const said = await askServer(resolver, ask)
  if (typeof said === 'string' || (said.rcode !== 0 && said.rcode !== 3)) return null
  const records = said.answer.filter(({ type }) => type === TYPE.DS)
  return {
    tags: records.map(({ rdata }) => (rdata[0]! << 8) | rdata[1]!),
    ttl: records.reduce((longest, { ttl }) => Math.max(longest, ttl), 0),
  }
}

function pathIn(stateFolder: string): string {
  return join(stateFolder, 'dns', 'keys.json')
}
