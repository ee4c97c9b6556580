/**
 * Settings tables: each service says in one table what may be written, with doc, unit, default and limits.
 * Reading, defaults, JSON Schema and the reference page come from the same table.
 */
export type Setting =
  | TextSetting
  | IntegerSetting
  | SizeSetting
  | DurationSetting
  | FlagSetting
  | ChoiceSetting
  | ListSetting
  | MapSetting
  | GroupSetting
  | EitherSetting

type Common = {
  /** one sentence: what it means */
  readonly doc: string
  /** where the default or the limits come from */
  readonly source?: string
  readonly example?: unknown
  /**
   * What was probably meant by a value that cannot be read, as it would be pasted; undefined: the example says it.
   *
   * @param path keys from the root of the file to the value
   */
  readonly meant?: (value: unknown, path: readonly (string | number)[]) => string | undefined
}

export type TextSetting = Common & {
  readonly type: 'text'
  readonly initial?: string
  /** what the text must look like, and how to say it */
  readonly form?: { readonly pattern: string; readonly say: string }
  /** it names something on disk that must be there; a `new file` only the folder that it is to be in */
  readonly path?: PathKind
}
export type PathKind = 'file' | 'folder' | 'new file'
export type IntegerSetting = Common & {
  readonly type: 'integer'
  readonly unit?: string
  readonly initial?: number
  readonly min: number
  readonly max: number
}
/** Written as "500MB" or "64KiB", read as octets. */
export type SizeSetting = Common & {
  readonly type: 'size'
  readonly initial?: number
  readonly min: number
  readonly max: number
}
/** Written as "30s" or "5m", read as milliseconds. */
export type DurationSetting = Common & {
  readonly type: 'duration'
  readonly initial?: number
  readonly min: number
  readonly max: number
}
export type FlagSetting = Common & { readonly type: 'flag'; readonly initial?: boolean }
export type ChoiceSetting = Common & {
  readonly type: 'choice'
  readonly values: readonly (string | number)[]
  readonly initial?: string | number
}
export type ListSetting = Common & {
  readonly type: 'list'
  readonly of: Setting
  readonly initial?: readonly unknown[]
  /** a single value may stand without brackets */
  readonly single?: boolean
  readonly max?: number
}
export type MapSetting = Common & {
  readonly type: 'map'
  /** what the keys are, such as "host name" */
  readonly keys: string
  readonly of: Setting
}
export type GroupSetting = Common & {
  readonly type: 'group'
  readonly fields: Readonly<Record<string, Setting>>
  readonly required?: readonly string[]
  /** what other programs call a field, so that it is offered */
  readonly elsewhere?: Readonly<Record<string, string>>
  /** exactly one of these keys must stand */
  readonly oneOf?: readonly string[]
}
/** One of several forms, told apart by the JSON type of what was written. */
export type EitherSetting = Common & { readonly type: 'either'; readonly of: readonly Setting[] }
