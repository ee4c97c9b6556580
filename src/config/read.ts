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
import { deeper, keyFor, repairs, repairUnit } from './mend.ts'
import type { Path, Written } from './source.ts'
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

function read(setting: Setting, value: unknown, path: Path, reading: Reading): unknown {
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

function readGroup(setting: GroupSetting, value: unknown, path: Path, reading: Reading): unknown {
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
    const part = read(field, value[key], [...path, key], reading) ?? (isKind ? undefined : initialOf(field))
    if (part !== undefined) result[key] = part
  }
  return (setting.required ?? []).every((key) => result[key] !== undefined) ? result : undefined
}

function readMap(setting: MapSetting, value: unknown, path: Path, reading: Reading): unknown {
  if (!isObject(value)) return wrongType(setting, value, path, reading)
  const result: Record<string, unknown> = Object.create(null)
  for (const key of Object.keys(value)) {
    const part = read(setting.of, value[key], [...path, key], reading)
    if (part !== undefined) result[key] = part
  }
  return result
}

function readList(setting: ListSetting, value: unknown, path: Path, reading: Reading): unknown {
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
  const items = value.map((item, index) => read(setting.of, item, [...path, index], reading))
  const good = items.filter((item) => item !== undefined)
  // A list of faults only is no empty list: that would be another fault, or mean something.
  return good.length === 0 && items.length > 0 ? undefined : good
}

function readEither(setting: EitherSetting, value: unknown, path: Path, reading: Reading): unknown {
  const fitting = setting.of.filter((form) => fits(form, value))
  const form =
    fitting.find((candidate) => mayHold(candidate, value)) ??
    fitting.find((candidate) => isMeant(candidate, value)) ??
    fitting[0]
  return form === undefined ? wrongType(setting, value, path, reading) : read(form, value, path, reading)
}

function readText(setting: TextSetting, value: unknown, path: Path, reading: Reading): unknown {
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

function readChoice(setting: ChoiceSetting, value: unknown, path: Path, reading: Reading): unknown {
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

function readInteger(setting: IntegerSetting, value: unknown, path: Path, reading: Reading): unknown {
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
  path: Path,
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
  path: Path,
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
  { path, reading }: { readonly path: Path; readonly reading: Reading },
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
  { path, reading }: { readonly path: Path; readonly reading: Reading },
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

/** A required key that stands there with a typing mistake was reported as an unknown one. */
function isMistyped(key: string, setting: GroupSetting, value: Record<string, unknown>): boolean {
  const unknown = Object.keys(value).filter((written) => !Object.hasOwn(setting.fields, written))
  return unknown.some((written) => keyFor(written, setting) === key)
}

function missingKey(setting: GroupSetting, key: string, path: Path, reading: Reading): void {
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
  path: Path,
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
function inFull(setting: Setting, value: unknown, path: Path, reading: Reading): string | undefined {
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

function report(reading: Reading, path: Path, code: string, message: string, fix?: string): undefined {
  const problem: Problem = { level: 'error', code, at: reading.written.at(path), message }
  reading.problems.push(fix === undefined ? problem : { ...problem, fix })
  return undefined
}

/** What a setting wants, in words. */
export function takesObject(setting: Setting): boolean {
  if (setting.type === 'either') return setting.of.some(takesObject)
  return setting.type === 'group' || setting.type === 'map'
}

/** Whether a value has the JSON type that a form takes. */
function fits(setting: Setting, value: unknown): boolean {
  switch (setting.type) {
    case 'text':
      return typeof value === 'string'
    case 'size':
    case 'duration':
      return typeof value === 'string' || typeof value === 'number'
    case 'integer':
      return typeof value === 'number'
    case 'flag':
      return typeof value === 'boolean'
    case 'choice':
      return setting.values.some((choice) => typeof choice === typeof value)
    case 'list':
      return Array.isArray(value)
    case 'map':
    case 'group':
      return isObject(value)
    case 'either':
      return setting.of.some((form) => fits(form, value))
  }
}

/** Among forms of one JSON type, the one that the value was meant for. */
function mayHold(setting: Setting, value: unknown): boolean {
  if (setting.type === 'choice') return setting.values.some((choice) => choice === value)
  if (setting.type === 'group' && isObject(value)) {
    return (setting.required ?? []).every((key) => value[key] !== undefined)
  }
  return true
}

/** Whether the required keys stand there, typing mistakes allowed. */
function isMeant(setting: Setting, value: unknown): boolean {
  if (setting.type !== 'group' || !isObject(value)) return false
  return (setting.required ?? []).every((key) => value[key] !== undefined || isMistyped(key, setting, value))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
