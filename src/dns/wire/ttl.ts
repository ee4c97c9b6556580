const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** The largest TTL in seconds: the uppermost bit is not used (RFC 2181 §8). */
export const TTL_LIMIT: number = 2 ** 31 - 1

/**
 * Seconds from `3600` or `1h30m`, units in any case and order.
 *
 * @returns whole seconds, which may exceed `TTL_LIMIT`; undefined when the text is no period
 */
export function parseTtl(text: string): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  if (!/^(?:\d{1,10}[smhdw])+$/i.test(text) || text.length > 64) return undefined
  const parts = text.toLowerCase().matchAll(/(\d+)([smhdw])/g)
  return parts.reduce((seconds, [, count, unit]) => seconds + Number(count) * UNITS[unit!]!, 0)
}
