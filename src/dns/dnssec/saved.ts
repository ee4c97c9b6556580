import type { SavedZones } from './keyed-zones.ts'
import type { Phase, SavedKey, SavedZone } from './roll.ts'

const PHASES: readonly string[] = [
  'beginning',
  'signed',
  'publishing',
  'submitting',
  'retiring',
  'leaving',
  'left',
] satisfies readonly Phase[]

/**
 * Read the keys of all zones.
 *
 * @throws {Error} when the text is not what was saved: to go on with new keys would make zones bogus
 */
export function parseSavedZones(text: string | null): SavedZones {
  if (text === null) return {}
  const value: unknown = JSON.parse(text)
  if (typeof value !== 'object' || value === null || !Object.values(value).every(isZone))
    throw new Error('it does not hold what Portico wrote there')
  return value as SavedZones
}

function isZone(value: unknown): value is SavedZone {
  if (typeof value !== 'object' || value === null) return false
  const { keys, phase, since, until, dsTtl, wishes } = value as Record<string, unknown>
  const hasTimes = [since, until ?? 0, dsTtl].every((time) => Number.isInteger(time))
  return (
    hasTimes &&
    typeof wishes === 'object' &&
    wishes !== null &&
    PHASES.includes(String(phase)) &&
    Array.isArray(keys) &&
    isKeys(keys)
  )
}

function isKeys(keys: readonly unknown[]): keys is SavedKey[] {
  return keys.length > 0 && keys.length <= 2 && keys.every(isKey)
}

function isKey(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { privateKey, publicKey, createdAt, signsData } = value as Record<string, unknown>
  return (
    typeof privateKey === 'string' &&
    Buffer.from(String(publicKey), 'base64').length === 64 &&
    Number.isInteger(createdAt) &&
    typeof signsData === 'boolean'
  )
}
