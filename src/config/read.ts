import { nearest } from '#core/nearest.ts'
import type { Position, Problem } from '#core/problem.ts'
import type {
  ChoiceSetting,
  DurationSetting,
  EitherSetting,
  GroupSetting,
  IntegerSetting,
  ListSetting,
  MapSetting,
  PathKind,
  Setting,
  SizeSetting,
  TextSetting,
} from '#core/settings.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '#core/units.ts'
import { fits, isMeant, isMistyped, isObject, mayHold, takesObject } from './forms.ts'
import { deeper, keyFor, repairs, repairUnit } from './mend.ts'
import type { Written } from './source.ts'
import { exampleOf, say, show, wanted } from './wording.ts'

/**
 * Read what was written by its settings table: check it, fill in defaults, turn sizes into octets and
 * durations into milliseconds.
 *
 * @returns the value, with defaults where a part could not be read; every problem found; what it names on disk
 */
export function readSettings(
  setting: Setting,
  written: Written,
): { value: unknown; problems: Problem[]; paths: NamedPath[] } {
  const problems: Problem[] = []
  const paths: NamedPath[] = []
  const value = read(setting, written.value, [], { written, problems, paths })
  return { value, problems, paths }
}

/** Something on disk that a file names, as written. */
export type NamedPath = {
  readonly kind: PathKind
  readonly path: string
  /** the setting that names it, such as `places.file` */
  readonly says: string
  readonly at: Position
}

type Reading = { readonly written: Written; readonly problems: Problem[]; readonly paths: NamedPath[] }

/** The way from the root to a value: one list for all, which grows and shrinks on the way. */
type Steps = (string | number)[]

function read(setting: Setting, value: unknown, path: Steps, reading: Reading): unknown {
  if (value === undefined) return initialOf(setting)
  switch (setting.type) {
    case 'group':
      return readGroup(setting, value, path, reading)
    case 'map':
      return readMap(setting, value, path, reading)
    case 'list':
      return readList(setting, value, path, reading)
    case 'either':
      return readEither(setting, value, path, reading)
    case 'text':
      return readText(setting, value, path, reading)
    case 'choice':
      return readChoice(setting, value, path, reading)
    case 'flag':
      return typeof value === 'boolean' ? value : wrongType(setting, value, path, reading)
    case 'integer':
      return readInteger(setting, value, path, reading)
    case 'size':
    case 'duration':
      return readUnit(setting, value, path, reading)
  }
}

/** What stands under a key. */
function readPart(
  setting: Setting,
  value: unknown,
  key: string | number,
  path: Steps,
  reading: Reading,
): unknown {
  path.push(key)
  const part = read(setting, value, path, reading)
  path.pop()
  return part
}

/** The default of a setting; a group's is made of its fields' defaults, but of several forms nobody means a group. */
export function initialOf(setting: Setting): unknown {
  if (setting.type === 'map') return {}
  if (setting.type === 'either') {
    const plain = setting.of.filter(({ type }) => type !== 'group' && type !== 'map')
    return plain.map(initialOf).find((initial) => initial !== undefined)
  }
  if (setting.type !== 'group') return setting.initial
  if (setting.required !== undefined || setting.oneOf !== undefined) return undefined
  const fields = Object.entries(setting.fields).map(([key, field]) => [key, initialOf(field)] as const)
  return Object.fromEntries(fields.filter(([, initial]) => initial !== undefined))
}

function readGroup(setting: GroupSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (!isObject(value)) return wrongType(setting, value, path, reading)
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(setting.fields, key)) unknownKey(setting, key, value, { path, reading })
  }
  for (const key of setting.required ?? []) {
    if (value[key] === undefined && !isMistyped(key, setting, value)) missingKey(setting, key, path, reading)
  }
  if (setting.oneOf !== undefined) checkOneOf(setting, setting.oneOf, value, { path, reading })
  const result: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(setting.fields)) {
    // Of the kinds only one stands: defaults of the others would make the group say several.
    const isKind = setting.oneOf?.includes(key) === true
    if (value[key] === undefined && isKind) continue
    // What cannot be read was reported; the default lets the rest be checked as well.
    const part = readPart(field, value[key], key, path, reading) ?? (isKind ? undefined : initialOf(field))
    if (part !== undefined) result[key] = part
  }
  return (setting.required ?? []).every((key) => result[key] !== undefined) ? result : undefined
}

function readMap(setting: MapSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (!isObject(value)) return wrongType(setting, value, path, reading)
  const keys = Object.keys(value)
  let changed: Record<string, unknown> | undefined
  for (const key of keys) {
    const part = readPart(setting.of, value[key], key, path, reading)
    if (part !== value[key]) changed ??= copyUntil(key, keys, value)
    if (changed !== undefined && part !== undefined) changed[key] = part
  }
  // No prototype: a key such as "constructor" is only a key.
  return changed ?? Object.setPrototypeOf(value, null)
}

function copyUntil(
  end: string,
  keys: readonly string[],
  value: Record<string, unknown>,
): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null)
  for (const key of keys) {
    if (key === end) break
    copy[key] = value[key]
  }
  return copy
}

function readList(setting: ListSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (!Array.isArray(value)) {
    if (setting.single !== true || (isObject(value) && !takesObject(setting.of)))
      return wrongType(setting, value, path, reading)
    const only = read(setting.of, value, path, reading)
    return only === undefined ? undefined : [only]
  }
  if (value.length > (setting.max ?? 1000)) {
    return report(
      reading,
      path,
      'config/out-of-range',
      `${say(path)} has ${value.length} items; at most ${setting.max ?? 1000} may stand.`,
      `remove ${value.length - (setting.max ?? 1000)} of them`,
    )
  }
  const items = value.map((item, index) => readPart(setting.of, item, index, path, reading))
  const good = items.filter((item) => item !== undefined)
  // A list of faults only is no empty list: that would be another fault, or mean something.
  return good.length === 0 && items.length > 0 ? undefined : good
}

function readEither(setting: EitherSetting, value: unknown, path: Steps, reading: Reading): unknown {
  const form =
    setting.of.find((candidate) => fits(candidate, value) && mayHold(candidate, value)) ??
    setting.of.find((candidate) => fits(candidate, value) && isMeant(candidate, value)) ??
    setting.of.find((candidate) => fits(candidate, value))
  return form === undefined ? wrongType(setting, value, path, reading) : read(form, value, path, reading)
}

function readText(setting: TextSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (typeof value !== 'string') return wrongType(setting, value, path, reading)
  if (setting.path !== undefined)
    reading.paths.push({ kind: setting.path, path: value, says: say(path), at: reading.written.at(path) })
  if (setting.form === undefined) return value
  const form = new RegExp(setting.form.pattern, 'u')
  if (form.test(value)) return value
  const message = `${say(path)} is ${show(value)}; ${setting.form.say} is wanted.`
  const repaired = repairs(value).find((text) => form.test(text))
  const fix =
    setting.meant?.(value, path) ?? (repaired === undefined ? exampleOf(setting) : JSON.stringify(repaired))
  return report(reading, path, 'config/wrong-form', message, fix)
}

function readChoice(setting: ChoiceSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (setting.values.some((known) => known === value)) return value
  if (typeof value !== 'string' && typeof value !== 'number') return wrongType(setting, value, path, reading)
  const known = setting.values.map((choice) => JSON.stringify(choice)).join(', ')
  const near = nearest(String(value), setting.values.map(String))
  const fix = setting.values.find((choice) => String(choice) === near) ?? setting.initial
  return report(
    reading,
    path,
    'config/unknown-value',
    `${say(path)} is ${show(value)}; one of ${known} is wanted.`,
    fix === undefined ? undefined : JSON.stringify(fix),
  )
}

function readInteger(setting: IntegerSetting, value: unknown, path: Steps, reading: Reading): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(setting, value, path, reading)
  if (value >= setting.min && value <= setting.max) return value
  const unit = setting.unit === undefined ? '' : ` ${setting.unit}`
  return report(
    reading,
    path,
    'config/out-of-range',
    `${say(path)} is ${value}${unit}; ${setting.min} to ${setting.max} is wanted.`,
    String(setting.example ?? (value < setting.min ? setting.min : setting.max)),
  )
}

function readUnit(
  setting: SizeSetting | DurationSetting,
  value: unknown,
  path: Steps,
  reading: Reading,
): unknown {
  const isSize = setting.type === 'size'
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value))) {
    return withoutUnit(setting, value, path, reading)
  }
  if (typeof value !== 'string') return wrongType(setting, value, path, reading)
  const amount = isSize ? parseSize(value) : parseDuration(value)
  if (amount === undefined)
    return wrongType(setting, value, path, reading, quoted(repairUnit(setting.type, value)))
  if (amount >= setting.min && amount <= setting.max) return amount
  const format = isSize ? formatSize : formatDuration
  return report(
    reading,
    path,
    'config/out-of-range',
    `${say(path)} is ${value}; ${format(setting.min)} to ${format(setting.max)} is wanted.`,
    `"${format(amount < setting.min ? setting.min : setting.max)}"`,
  )
}

function quoted(text: string | undefined): string | undefined {
  return text === undefined ? undefined : JSON.stringify(text)
}

function withoutUnit(
  setting: SizeSetting | DurationSetting,
  value: number | string,
  path: Steps,
  reading: Reading,
): undefined {
  if (setting.type === 'size') {
    const message = `${say(path)} is ${value}. Sizes carry a unit, so that nobody mistakes octets for megabytes.`
    return report(
      reading,
      path,
      'config/size-without-unit',
      message,
      `"${value}MB" (10^6 octets each), "${value}MiB" (2^20) or "${value}B"`,
    )
  }
  const message = `${say(path)} is ${value}. Durations carry a unit, so that nobody mistakes seconds for milliseconds.`
  return report(
    reading,
    path,
    'config/duration-without-unit',
    message,
    `"${value}s", "${value}ms" or "${value}m"`,
  )
}

function checkOneOf(
  setting: GroupSetting,
  kinds: readonly string[],
  value: Record<string, unknown>,
  { path, reading }: { readonly path: Steps; readonly reading: Reading },
): void {
  const present = kinds.filter((kind) => value[kind] !== undefined)
  if (present.length === 1) return
  // A mistyped kind was reported as an unknown key: once is enough.
  if (present.length === 0 && Object.keys(value).some((key) => !Object.hasOwn(setting.fields, key))) return
  const known = kinds.map((kind) => `"${kind}"`).join(', ')
  const what =
    present.length === 0
      ? 'says nothing of what answers'
      : `says ${present.map((kind) => `"${kind}"`).join(' and ')}`
  const fix = present.length === 0 ? '"service": 8081' : `keep "${present[0]}" alone`
  report(reading, path, 'config/one-kind', `${say(path)} ${what}; exactly one of ${known} is wanted.`, fix)
}

function unknownKey(
  setting: GroupSetting,
  key: string,
  value: Record<string, unknown>,
  { path, reading }: { readonly path: Steps; readonly reading: Reading },
): void {
  const near = keyFor(key, setting)
  const known = Object.keys(setting.fields).filter((name) => name !== '$schema')
  const where = path.length === 0 ? 'the file' : say(path)
  reading.problems.push({
    level: 'error',
    code: 'config/unknown-key',
    at: reading.written.keyAt([...path, key]),
    message: `"${key}" is not a key of ${where}; known are ${known.join(', ')}.`,
    fix: near === undefined ? (deeper(key, value, setting) ?? `remove "${key}"`) : `"${near}"`,
  })
}

function missingKey(setting: GroupSetting, key: string, path: Steps, reading: Reading): void {
  const where = path.length === 0 ? 'The file' : say(path)
  const field = setting.fields[key]
  report(
    reading,
    path,
    'config/missing-key',
    `${where} has no "${key}": ${field?.doc ?? ''}`,
    `"${key}": ${field?.meant?.(undefined, [...path, key]) ?? (field === undefined ? '…' : (exampleOf(field) ?? '…'))}`,
  )
}

function wrongType(
  setting: Setting,
  value: unknown,
  path: Steps,
  reading: Reading,
  repaired = inFull(setting, value, path, reading),
): undefined {
  return report(
    reading,
    path,
    'config/wrong-type',
    `${say(path)} is ${show(value)}; ${wanted(setting)} is wanted.`,
    setting.meant?.(value, path) ?? repaired ?? exampleOf(setting),
  )
}

/** What stands in place of a group, as the one key that takes it: `8080` as `{ "service": 8080 }`. */
function inFull(setting: Setting, value: unknown, path: Steps, reading: Reading): string | undefined {
  if (setting.type !== 'group' || Array.isArray(value) || isObject(value)) return undefined
  const takers = Object.entries(setting.fields).filter(([key, field]) => {
    const trial: Reading = { written: reading.written, problems: [], paths: [] }
    return (
      fits(field, value) &&
      read(field, value, [...path, key], trial) !== undefined &&
      trial.problems.length === 0
    )
  })
  if (takers.length !== 1 && (setting.oneOf === undefined || takers.length === 0)) return undefined
  return `{ "${takers[0]![0]}": ${show(value)} }`
}

function report(reading: Reading, path: Steps, code: string, message: string, fix?: string): undefined {
  const problem: Problem = { level: 'error', code, at: reading.written.at(path), message }
  reading.problems.push(fix === undefined ? problem : { ...problem, fix })
  return undefined
}
