import { rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '#core/log.ts'
import { readIfThere, replaceFile } from '#core/state-file.ts'
import type { SoaPlan, ZonePlan } from '../plan.ts'
import { recordsOf, type Version, type ZoneRecord, zoneOfRecords } from './difference.ts'
import type { MovePlan } from './plan.ts'

/** A copy of a primary's zone in state. */
export type Copy = { readonly version: Version; readonly checkedAtMs: number }

type SavedCopy = { readonly serial: number; readonly soa: SoaPlan; readonly records: readonly ZoneRecord[] }

/** Where a zone has its file in a folder: a name may have a slash. */
export function fileOf(folder: string, apex: string, ending: string): string {
  return join(folder, `${encodeURIComponent(apex.slice(0, -1)) || 'root'}.${ending}`)
}

/** The copy that was kept, or null. When the file was last touched is when the primary was last heard of. */
export async function readCopy(folder: string, move: MovePlan): Promise<Copy | null> {
  const path = fileOf(folder, move.apex, 'copy.json')
  const text = await readIfThere(path)
  if (text === null) return null
  try {
    const { serial, soa, records } = JSON.parse(text) as SavedCopy
    const plan = zoneOfRecords(records, { ...placeOf(move), soa })
    return { version: { plan, serial }, checkedAtMs: (await stat(path)).mtimeMs }
  } catch {
    // What cannot be read is fetched again.
    return null
  }
}

/** Keep a copy, which is of this moment. */
export async function writeCopy(folder: string, version: Version): Promise<void> {
  const { plan, serial } = version
  const [, ...records] = recordsOf(version)
  const saved: SavedCopy = { serial, soa: plan.soa, records }
  await replaceFile(fileOf(folder, plan.apex, 'copy.json'), JSON.stringify(saved), 0o644)
}

/** Nothing is kept of these zones any longer. */
export async function forgetCopies(folder: string, apexes: readonly string[], log: Log): Promise<void> {
  const files = apexes.flatMap((apex) =>
    ['copy.json', 'history.jsonl', 'signatures.jsonl'].map((ending) => fileOf(folder, apex, ending)),
  )
  await Promise.all(files.map((file) => rm(file, { force: true }))).catch((error: unknown) => {
    log('warning', 'dns: copy not removed', { error: String(error) })
  })
}

/** The primary says that the copy is up to date. */
export async function touchCopy(folder: string, apex: string): Promise<void> {
  const now = new Date()
  await utimes(fileOf(folder, apex, 'copy.json'), now, now)
}

/** What a zone of a copy has before there are records: its names, and the line of the file. */
export function placeOf({ apex, from }: MovePlan): Pick<ZonePlan, 'id' | 'from' | 'apex'> {
  return { id: `zone:${apex.slice(0, -1)}`, from, apex }
}

/** Whether nobody has said for too long that the copy is good (RFC 1035 §3.3.13). */
export function isTooOld({ version, checkedAtMs }: Copy): boolean {
  return Date.now() - checkedAtMs >= version.plan.soa.expire * 1000
}

/** What stands for a zone without a copy that may be used: nothing is answered from it. */
export function expiredVersion(move: MovePlan, last: Version | null): Version {
  const soa: SoaPlan = {
    mname: '.',
    rname: '.',
    ...{ refresh: 60, retry: 60, expire: 3600, minimum: 60, ttl: 60 },
  }
  const plan = last?.plan ?? { ...placeOf(move), soa, key: 'none', rrsets: [] }
  return { plan: { ...plan, key: `${plan.key} expired`, expired: true }, serial: last?.serial ?? 0 }
}
