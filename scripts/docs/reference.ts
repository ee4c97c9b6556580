import { writtenDefault } from '#config/json-schema.ts'
import type { GroupSetting, PathKind, Setting } from '#core/settings.ts'
import { formatDuration, formatSize } from '#core/units.ts'

/** docs/reference.md: every setting of the file, a table for each object. */
export function referencePage(root: GroupSetting): string {
  const sections = [...sectionsOf({ path: '', about: root.doc, group: root }, new Set())]
  return `# Reference of portico.jsonc

Made from the settings tables of the source by \`npm run docs\`. The file is JSON with comments and trailing commas.
The path of a setting is the heading of its table, a dot, and its key; \`<…>\` stands for a name of yours.
What a route has as its host has is told of the host. Paths of files and folders begin at the folder of the file.
A size is written as \`"64KiB"\` (2¹⁰ octets each), \`"500MB"\` (10⁶) or \`"512B"\`, a duration as \`"250ms"\`, \`"30s"\`, \`"5m"\`, \`"1h"\` or \`"7d"\`.
Editors complete and check the file when it names the schema: \`"$schema": "./node_modules/portico/portico.schema.json"\`.
[checks.md](checks.md) lists what \`portico check\` finds.

${sections.map(printSection).join('\n')}`
}

/** One object of the file, as a table. */
type Section = { readonly path: string; readonly about: string; readonly group: GroupSetting }

function* sectionsOf(section: Section, told: Set<Setting>): Generator<Section> {
  if (told.has(section.group)) return
  told.add(section.group)
  yield section
  // What a host and its routes share is told of the host.
  const isRoutes = ([key]: [string, Setting]): boolean => key === 'routes'
  const fields = Object.entries(section.group.fields)
  for (const [key, setting] of [...fields.filter((field) => !isRoutes(field)), ...fields.filter(isRoutes)]) {
    yield* sectionsBelow(section.path === '' ? key : `${section.path}.${key}`, setting, told)
  }
}

function* sectionsBelow(path: string, setting: Setting, told: Set<Setting>): Generator<Section> {
  if (setting.type === 'group') yield* sectionsOf({ path, about: setting.doc, group: setting }, told)
  if (setting.type === 'map') yield* sectionsBelow(`${path}.<${setting.keys}>`, setting.of, told)
  if (setting.type === 'list') yield* sectionsBelow(path, setting.of, told)
  if (setting.type === 'either') for (const form of setting.of) yield* sectionsBelow(path, form, told)
}

function printSection({ path, about, group }: Section): string {
  const rows = Object.entries(group.fields).map(([key, setting]) => {
    const required = group.required?.includes(key) === true ? ' **required**' : ''
    const why = setting.source === undefined ? '' : ` Why: ${setting.source}.`
    const cells = [
      code(key),
      typeOf(setting) + required,
      defaultOf(setting),
      limitsOf(setting),
      `${setting.doc}${why}`,
    ]
    return row([...cells, setting.example === undefined ? '' : code(JSON.stringify(setting.example))])
  })
  const kinds =
    group.oneOf === undefined ? '' : `\n\nExactly one of ${group.oneOf.map(code).join(', ')} stands.`
  const head = `${row(['key', 'type', 'default', 'limits', 'meaning', 'example'])}\n|---|---|---|---|---|---|`
  return `## ${path === '' ? 'The file' : code(path)}\n\n${about}${kinds}\n\n${head}\n${rows.join('\n')}\n`
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function code(text: string): string {
  return `\`${text}\``
}

function typeOf(setting: Setting): string {
  switch (setting.type) {
    case 'integer':
      return setting.unit ?? 'whole number'
    case 'flag':
      return 'true or false'
    case 'choice':
      return setting.values.map((value) => code(JSON.stringify(value))).join(', ')
    case 'list':
      return `${setting.single === true ? `${typeOf(setting.of)}, or a ` : ''}list of ${inBrackets(typeOf(setting.of))}`
    case 'map':
      return `object: ${setting.keys} → ${typeOf(setting.of)}`
    case 'group':
      return `object with ${Object.keys(setting.fields).map(code).join(', ')}`
    case 'either':
      return setting.of.map(typeOf).join('; or ')
    default:
      return setting.type
  }
}

function inBrackets(type: string): string {
  return type.includes('; or ') ? `(${type})` : type
}

function defaultOf(setting: Setting): string {
  const form =
    setting.type === 'either' ? setting.of.find((one) => writtenDefault(one) !== undefined) : setting
  const initial = form === undefined ? undefined : writtenDefault(form)
  return initial === undefined ? '' : code(JSON.stringify(initial))
}

const PATHS: Readonly<Record<PathKind | 'none', string>> = {
  file: 'a file that is there',
  folder: 'a folder',
  'new file': 'in a folder that is there',
  none: '',
}

function limitsOf(setting: Setting): string {
  switch (setting.type) {
    case 'integer':
      return Number.isSafeInteger(setting.min) ? `${setting.min} to ${setting.max}` : ''
    case 'size':
      return `${formatSize(setting.min)} to ${formatSize(setting.max)}`
    case 'duration':
      return `${formatDuration(setting.min)} to ${formatDuration(setting.max)}`
    case 'text':
      return setting.form?.say ?? PATHS[setting.path ?? 'none']
    case 'list':
      return [limitsOf(setting.of), setting.max === undefined ? '' : `at most ${setting.max}`]
        .filter((limits) => limits !== '')
        .join('; ')
    case 'either':
      return setting.of
        .map(limitsOf)
        .filter((limits) => limits !== '')
        .join('; or ')
    default:
      return ''
  }
}
