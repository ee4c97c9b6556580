import type { Setting } from '#core/settings.ts'
import { formatDuration, formatSize } from '#core/units.ts'
import type { Path } from './source.ts'

/** What a setting takes, in words. */
export function wanted(setting: Setting): string {
  switch (setting.type) {
    case 'text':
      return setting.form?.say ?? 'text in quotes'
    case 'integer':
      return `a whole number ${setting.min} to ${setting.max}${setting.unit === undefined ? '' : ` (${setting.unit})`}`
    case 'size':
      return 'a size with a unit, such as "64KiB"'
    case 'duration':
      return 'a duration with a unit, such as "30s"'
    case 'flag':
      return 'true or false'
    case 'choice':
      return `one of ${setting.values.map((choice) => JSON.stringify(choice)).join(', ')}`
    case 'list':
      return setting.of.type === 'either' ? 'a list' : `a list of ${wanted(setting.of)}`
    case 'map':
      return `an object from ${setting.keys} to what it means`
    case 'group':
      return `an object with ${Object.keys(setting.fields).slice(0, 8).join(', ')}`
    case 'either':
      return setting.of.map(wanted).join(', or ')
  }
}

/** What may be pasted instead; undefined: nothing that would fit. */
export function exampleOf(setting: Setting): string | undefined {
  if (setting.type === 'size') return `"${formatSize(setting.initial ?? setting.min)}"`
  if (setting.type === 'duration') return `"${formatDuration(setting.initial ?? setting.min)}"`
  if (setting.type === 'flag') return String(setting.initial ?? true)
  if (setting.type === 'integer') return String(setting.example ?? setting.initial ?? setting.min)
  const example =
    setting.example ??
    (setting.type === 'either' ? setting.of.find((form) => form.example !== undefined)?.example : undefined)
  return example === undefined ? undefined : JSON.stringify(example)
}

/** The way to a value, such as `limits.http`. */
export function say(path: Path): string {
  return path.length === 0 ? 'The file' : path.join('.')
}

/** A value as it was written, when it is short. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  return JSON.stringify(value).slice(0, 80)
}
