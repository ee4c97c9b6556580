import type { GroupSetting, Setting } from '#core/settings.ts'
import { keyFor } from './mend.ts'

/** Whether an object may stand there. */
export function takesObject(setting: Setting): boolean {
  if (setting.type === 'either') return setting.of.some(takesObject)
  return setting.type === 'group' || setting.type === 'map'
}

/** Whether a value has the JSON type that a form takes. */
export function fits(setting: Setting, value: unknown): boolean {
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
export function mayHold(setting: Setting, value: unknown): boolean {
  if (setting.type === 'choice') return setting.values.some((choice) => choice === value)
  if (setting.type === 'group' && isObject(value)) {
    return (setting.required ?? []).every((key) => value[key] !== undefined)
  }
  return true
}

/** Among them, the one whose required keys stand there, typing mistakes allowed. */
export function isMeant(setting: Setting, value: unknown): boolean {
  if (setting.type !== 'group' || !isObject(value)) return false
  return (setting.required ?? []).every((key) => value[key] !== undefined || isMistyped(key, setting, value))
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A required key that stands there with a typing mistake was reported as an unknown one. */
export function isMistyped(key: string, setting: GroupSetting, value: Record<string, unknown>): boolean {
  const unknown = Object.keys(value).filter((written) => !Object.hasOwn(setting.fields, written))
  return unknown.some((written) => keyFor(written, setting) === key)
}
