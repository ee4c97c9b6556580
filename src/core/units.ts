const SIZES: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Read a size with its unit.
 *
 * @param text such as `500MB` (10^6) or `64KiB` (2^10)
 * @returns whole octets, or undefined when the text is no size
 * @example parseSize('64KiB') // 65536
 */
export function parseSize(text: string): number | undefined {
  return parseUnit(text, SIZES)
}

/**
 * Read a duration with its unit.
 *
 * @param text such as `30s`, `250ms`, `5m`, `1h` or `7d`
 * @returns whole milliseconds, or undefined when the text is no duration
 * @example parseDuration('30s') // 30000
 */
export function parseDuration(text: string): number | undefined {
  return parseUnit(text, DURATIONS)
}

/** Write octets in the largest unit that stays short: `65536` → `64KiB`, `1500000` → `1.5MB`. */
export function formatSize(octets: number): string {
  return formatUnit(octets, SIZES, 'B')
}

/** Write milliseconds in the largest unit that stays short: `30000` → `30s`. */
export function formatDuration(milliseconds: number): string {
  return formatUnit(milliseconds, DURATIONS, 'ms')
}

/** `1 host`, `2 hosts`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function parseUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]+)$/.exec(text)
  if (match === null) return undefined
  const factor = units[match[2]!]
  if (factor === undefined) return undefined
  const value = Number(match[1]) * factor
  return Number.isSafeInteger(Math.round(value)) ? Math.round(value) : undefined
}

function formatUnit(value: number, units: Readonly<Record<string, number>>, smallest: string): string {
  const fitting = Object.entries(units)
    .filter(([, factor]) => value >= factor)
    .map(([name, factor]) => ({ name, amount: value / factor }))
    .filter(({ amount }) => Number.isInteger(amount * 10))
    .sort((a, b) => a.amount - b.amount)
  const best = fitting[0]
  return best === undefined ? `${value}${smallest}` : `${best.amount}${best.name}`
}
