import type { GroupSetting, ListSetting, Setting } from '#core/settings.ts'
import { formatDuration, formatSize } from '#core/units.ts'

/** JSON Schema as far as settings need it; `defaultSnippets` and `allowTrailingCommas` are words of VS Code. */
export type JsonSchema = { readonly [keyword: string]: unknown }

/**
 * Describe a settings table as JSON Schema, for completion and marks in editors.
 *
 * Draft-07, because editors know it best. It says what one value may look like; rules between values are the check's.
 *
 * @param title what files of this kind are called
 */
export function jsonSchema(root: GroupSetting, title: string): JsonSchema {
  const drawing: Drawing = { shared: sharedSettings(root), definitions: {} }
  const schema = drawGroup(root, drawing)
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title,
    ...describe(root),
    allowTrailingCommas: true,
    ...schema,
    definitions: drawing.definitions,
  }
}

type Drawing = {
  /** settings that stand in several places → name of their definition */
  readonly shared: ReadonlyMap<Setting, string>
  /** grows */
  readonly definitions: Record<string, JsonSchema>
}

function draw(setting: Setting, drawing: Drawing): JsonSchema {
  const name = drawing.shared.get(setting)
  if (name === undefined) return drawHere(setting, drawing)
  drawing.definitions[name] ??= drawHere(setting, drawing)
  return { $ref: `#/definitions/${name}` }
}

function drawHere(setting: Setting, drawing: Drawing): JsonSchema {
  return { ...describe(setting), ...drawForm(setting, drawing) }
}

function drawForm(setting: Setting, drawing: Drawing): JsonSchema {
  switch (setting.type) {
    case 'text':
      return { type: 'string', ...(setting.form === undefined ? {} : { pattern: setting.form.pattern }) }
    case 'integer':
      return { type: 'integer', ...bound('minimum', setting.min), ...bound('maximum', setting.max) }
    case 'size':
      return { type: 'string', pattern: '^\\d+(\\.\\d+)? ?([KMGT]i?)?B$' }
    case 'duration':
      return { type: 'string', pattern: '^\\d+(\\.\\d+)? ?(ms|s|m|h|d)$' }
    case 'flag':
      return { type: 'boolean' }
    case 'choice':
      return { enum: setting.values }
    case 'list':
      return drawList(setting, drawing)
    case 'map':
      return { type: 'object', additionalProperties: draw(setting.of, drawing) }
    case 'group':
      return drawGroup(setting, drawing)
    case 'either':
      return { anyOf: setting.of.map((form) => draw(form, drawing)) }
  }
}

/** A limit that JSON numbers cannot reach is none. */
function bound(keyword: string, limit: number): JsonSchema {
  return Number.isSafeInteger(limit) ? { [keyword]: limit } : {}
}

function drawList({ of, single, max }: ListSetting, drawing: Drawing): JsonSchema {
  const item = draw(of, drawing)
  const list = { type: 'array', items: item, ...(max === undefined ? {} : { maxItems: max }) }
  return single === true ? { anyOf: [item, list] } : list
}

function drawGroup({ fields, required, oneOf }: GroupSetting, drawing: Drawing): JsonSchema {
  const properties = Object.entries(fields).map(([key, field]) => [key, draw(field, drawing)])
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
    ...(required === undefined ? {} : { required }),
    ...(oneOf === undefined ? {} : drawKinds(oneOf, fields)),
  }
}

/** Exactly one kind stands; an editor offers each with its example. */
function drawKinds(kinds: readonly string[], fields: Readonly<Record<string, Setting>>): JsonSchema {
  return {
    oneOf: kinds.map((kind) => ({ required: [kind] })),
    defaultSnippets: kinds.map((kind) => {
      const setting = fields[kind]!
      const empty = setting.type === 'map' ? {} : ''
      return { label: kind, description: setting.doc, body: { [kind]: setting.example ?? empty } }
    }),
  }
}

function describe(setting: Setting): JsonSchema {
  const { doc, source, example } = setting
  const keys = setting.type === 'map' ? ` Keys: ${setting.keys}.` : ''
  const unit = setting.type === 'integer' && setting.unit !== undefined ? ` Unit: ${setting.unit}.` : ''
  const why = source === undefined ? '' : ` Why: ${source}.`
  const initial = writtenDefault(setting)
  return {
    description: `${doc}${keys}${unit}${why}`,
    ...(initial === undefined ? {} : { default: initial }),
    ...(example === undefined ? {} : { examples: [example] }),
  }
}

/** The default of a setting as one would write it: sizes and durations with their unit. */
export function writtenDefault(setting: Setting): unknown {
  if (!('initial' in setting) || setting.initial === undefined) return undefined
  if (setting.type === 'size') return formatSize(setting.initial)
  if (setting.type === 'duration') return formatDuration(setting.initial)
  return setting.initial
}

/** Settings of more than one line that the table has in several places, each with the first key it has there. */
function sharedSettings(root: Setting): ReadonlyMap<Setting, string> {
  const seen = new Map<Setting, string>()
  const shared = new Map<Setting, string>()
  const visit = (setting: Setting, key: string): void => {
    if (seen.has(setting)) {
      if (['group', 'map', 'either'].includes(setting.type)) shared.set(setting, seen.get(setting)!)
      return
    }
    seen.set(setting, key)
    for (const [part, below] of partsOf(setting)) visit(below, part ?? key)
  }
  visit(root, 'file')
  return shared
}

function partsOf(setting: Setting): (readonly [key: string | undefined, setting: Setting])[] {
  if (setting.type === 'group') return Object.entries(setting.fields)
  if (setting.type === 'either') return setting.of.map((form) => [undefined, form])
  return setting.type === 'list' || setting.type === 'map' ? [[undefined, setting.of]] : []
}
