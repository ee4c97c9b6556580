import { stripVTControlCharacters } from 'node:util'

/** Cut a line to so many columns; colours are kept, and end with it. */
export function clip(line: string, columns: number): string {
  if (stripVTControlCharacters(line).length <= columns) return line
  let left = columns - 1
  let text = ''
  for (const [part] of line.matchAll(/\x1b\[[0-9;]*m|./g)) {
    if (part.length > 1) text += part
    else if (left-- > 0) text += part
  }
  return `${text}…`
}

export type Column = {
  readonly title: string
  readonly align?: 'right'
  /** left out on a narrow terminal, the last one first */
  readonly isOptional?: boolean
  /** the last one, which takes what is left: cut by the edge of the terminal */
  readonly isFree?: boolean
}

/**
 * Lines of a table with titles, as wide as the terminal: optional columns go, then the first one gives way.
 *
 * @param style changes a cell after it was padded, such as to colour it; row -1 is the titles
 */
export function alignedTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  style: (text: string, row: number, title: string) => string = (text) => text,
): string[] {
  const table = [columns.map(({ title }) => title), ...rows]
  const widths = columns.map(({ isFree = false, title }, i) => {
    return isFree ? title.length : table.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0)
  })
  const shown = columns.map((_, i) => i)
  const besideFirst = (): number => shown.slice(1).reduce((sum, i) => sum + widths[i]! + GAP.length, 0)
  while (width - besideFirst() < Math.min(widths[0]!, COMFORTABLE)) {
    const last = shown.findLastIndex((i) => columns[i]!.isOptional === true)
    if (last < 0) break
    shown.splice(last, 1)
  }
  widths[0] = Math.max(LEAST_FIRST, Math.min(widths[0]!, width - besideFirst()))
  const pad = (text: string, i: number): string => {
    const fitting = i === 0 ? shorten(text, widths[0]!) : text
    return columns[i]!.align === 'right' ? fitting.padStart(widths[i]!) : fitting.padEnd(widths[i]!)
  }
  return table.map((cells, row) => {
    const texts = shown.map((i) => style(pad(cells[i] ?? '', i), row - 1, columns[i]!.title))
    return texts.join(GAP).trimEnd()
  })
}

const GAP = '  '
const LEAST_FIRST = 12
/** So wide a name can be told apart from others. */
const COMFORTABLE = 28

/** Names are told apart by both ends. */
function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  const end = Math.floor((length - 1) / 2)
  return `${text.slice(0, length - 1 - end)}…${text.slice(text.length - end)}`
}

/** Words in as many lines as they need. */
export function wrap(parts: readonly string[], gap: string, columns: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const longer = `${lines.at(-1)}${gap}${part}`
    if (lines.length > 0 && stripVTControlCharacters(longer).length <= columns)
      lines[lines.length - 1] = longer
    else lines.push(part)
  }
  return lines
}
