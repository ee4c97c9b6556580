import type { ZonePlan } from './plan.ts'

/** What is remembered of a zone: its serial, and the content that it stands for. */
export type SavedSerial = { readonly key: string; readonly serial: number }

/** By the id of the zone. */
export type SavedSerials = Readonly<Record<string, SavedSerial>>

/**
 * Give each zone its serial: the saved one while its content is the same, a greater one when it changed
 * (RFC 1982 §3.1), the time for a zone that nothing is remembered of, so that secondaries see no step back.
 *
 * @param nowSeconds since 1970
 * @returns what to remember; zones that left the Plan stay remembered, should they come back
 */
export function advanceSerials(
  saved: SavedSerials,
  zones: readonly ZonePlan[],
  nowSeconds: number,
): SavedSerials {
  const next: Record<string, SavedSerial> = { ...saved }
  for (const { id, key } of zones) {
    const before = saved[id]
    if (before?.key === key) continue
    const serial = before === undefined ? nowSeconds : Math.max(before.serial + 1, nowSeconds)
    next[id] = { key, serial: serial % 2 ** 32 }
  }
  return next
}

/** Read what was saved; anything else than what `advanceSerials` made is as good as nothing. */
export function parseSerials(text: string | null): SavedSerials {
  if (text === null) return {}
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter(([, saved]) => isSaved(saved)))
  } catch {
    return {}
  }
}

function isSaved(value: unknown): value is SavedSerial {
  if (typeof value !== 'object' || value === null) return false
  return (
    'key' in value && typeof value.key === 'string' && 'serial' in value && Number.isInteger(value.serial)
  )
}
