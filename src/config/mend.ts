import { nearest } from '#core/nearest.ts'
import type { GroupSetting, Setting } from '#core/settings.ts'
import { parseDuration, parseSize } from '#core/units.ts'

/** What is left out or written too much most often: a scheme, the colon of a port, the path of a URL, a unit. */
export function repairs(text: string): string[] {
  // "http://8080" would be the address 0.0.31.144.
  if (/^\d+$/.test(text)) return [`:${text}`, `http://127.0.0.1:${text}`]
  return [
    `http://${text}`,
    `:${text}`,
    text.replace(/^(https?:\/\/[^/?#]+).*$/, '$1'),
    ...[`${text}/s`, `${text}B/s`],
    text.replace(/\/(s|m|h)[a-z]+$/, '/$1'),
  ]
}

const UNIT_NAMES = /^(\d+(?:\.\d+)?) ?([a-z]+)$/i
const DURATION_NAMES: readonly (readonly [RegExp, string])[] = [
  [/^(ms|msecs?|milli.*)$/i, 'ms'],
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(m|mins?|minutes?)$/i, 'm'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(d|days?)$/i, 'd'],
]

/** A size or a duration with the unit that another program would have: `10min` → `10m`, `64k` → `64KiB`. */
export function repairUnit(type: 'size' | 'duration', text: string): string | undefined {
  const [, amount, unit] = UNIT_NAMES.exec(text.trim()) ?? []
  if (amount === undefined || unit === undefined) return undefined
  if (type === 'duration') {
    const days = { w: 7, week: 7, weeks: 7, y: 365, year: 365, years: 365 }[unit.toLowerCase()]
    const name = DURATION_NAMES.find(([names]) => names.test(unit))?.[1]
    const repaired = days === undefined ? `${amount}${name}` : `${Number(amount) * days}d`
    return parseDuration(repaired) === undefined ? undefined : repaired
  }
  const letter = /^[kmgt]/i.exec(unit)?.[0].toUpperCase() ?? ''
  const repaired = `${amount}${letter}${letter !== '' && !/^.b$/i.test(unit) ? 'iB' : 'B'}`
  return parseSize(repaired) === undefined ? undefined : repaired
}

/** The key of a group that another word stands for: one that is mistyped, or another program's. */
export function keyFor(written: string, setting: GroupSetting): string | undefined {
  const elsewhere = setting.elsewhere ?? {}
  if (Object.hasOwn(elsewhere, written)) return elsewhere[written]
  return nearest(written, Object.keys(setting.fields))
}

/** Where a key that does not stand here has its place, as it would be pasted: a level further down. */
export function deeper(
  key: string,
  group: Record<string, unknown>,
  setting: GroupSetting,
): string | undefined {
  const value = group[key]
  const places = Object.entries(setting.fields).filter(([, field]) => groupsOf(field).some(holds))
  const [first, map] = Object.entries(setting.fields)[0] ?? []
  if (map?.type === 'map' && typeof value === 'string' && map.of.type === 'text') places.push([first!, map])
  const standing = places.filter(([place]) => group[place] !== undefined)
  const likely = standing.length > 0 ? standing : places
  if (likely.length === 0 || likely.length > 2) return undefined
  const pair = `${JSON.stringify(key)}: ${shown(value)}`
  return likely.map(([place]) => `"${place}": { ${pair} }`).join(', or ')

  function holds({ fields }: GroupSetting): boolean {
    return Object.hasOwn(fields, key)
  }
}

function groupsOf(setting: Setting): readonly GroupSetting[] {
  if (setting.type === 'group') return [setting]
  return setting.type === 'either' ? setting.of.flatMap(groupsOf) : []
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length <= 40 ? text : '…'
}
