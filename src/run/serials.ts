import { join } from 'node:path'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { advanceSerials, parseSerials } from '#dns/serials.ts'

/** Serials of the zones, kept in state. */
export type Serials = {
  /** The serial of each zone by its id; safe on disk before it is used, so that it never falls back. */
  advance(zones: readonly ZonePlan[]): Promise<ReadonlyMap<string, number>>
}

/** @throws {Error} when the file is there and cannot be read */
export async function loadSerials(stateFolder: string): Promise<Serials> {
  const path = join(stateFolder, 'dns', 'serials.json')
  let saved = parseSerials(await readIfThere(path))

  async function advance(zones: readonly ZonePlan[]): Promise<ReadonlyMap<string, number>> {
    const next = advanceSerials(saved, zones, Math.floor(Date.now() / 1000))
    const text = JSON.stringify(next)
    if (text !== JSON.stringify(saved)) await replaceFile(path, text, 0o644)
    saved = next
    return new Map(Object.entries(saved).map(([id, { serial }]) => [id, serial]))
  }

  return { advance }
}
