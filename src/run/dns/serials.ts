import { join } from 'node:path'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import type { ZonePlan } from '#dns/plan.ts'
import { advanceSerials, parseSerials, type SavedSerials } from '#dns/serials.ts'

/** Serials of the zones, kept in state. */
export type Serials = {
  /** The serial of each zone by its id; safe on disk before it is used, so that it never falls back. */
  advance(zones: readonly ZonePlan[]): Promise<ReadonlyMap<string, number>>
}

/**
 * The serials that zones have or would get now; nothing is saved.
 *
 * @throws {Error} when the file is there and cannot be read
 */
export async function readSerials(
  stateFolder: string,
  zones: readonly ZonePlan[],
): Promise<ReadonlyMap<string, number>> {
  const saved = parseSerials(await readIfThere(pathIn(stateFolder)))
  return byZone(advanceSerials(saved, zones, nowSeconds()))
}

/** @throws {Error} when the file is there and cannot be read */
export async function loadSerials(stateFolder: string): Promise<Serials> {
  const path = pathIn(stateFolder)
  let saved = parseSerials(await readIfThere(path))

  async function advance(zones: readonly ZonePlan[]): Promise<ReadonlyMap<string, number>> {
    const next = advanceSerials(saved, zones, nowSeconds())
    const text = JSON.stringify(next)
    if (text !== JSON.stringify(saved)) await replaceFile(path, text, 0o644)
    saved = next
    return byZone(saved)
  }

  return { advance }
}

function pathIn(stateFolder: string): string {
  return join(stateFolder, 'dns', 'serials.json')
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

function byZone(saved: SavedSerials): ReadonlyMap<string, number> {
  return new Map(Object.entries(saved).map(([id, { serial }]) => [id, serial]))
}
