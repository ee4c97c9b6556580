import { stripVTControlCharacters } from 'node:util'

/** How often a view is drawn anew. */
const REDRAW_MS = 2000
/** Where nobody says how large the terminal is. */
const COLUMNS = 80
const ROWS = 24

export type Size = { readonly columns: number; readonly rows: number }

/** Whether a person looks at a terminal that can be drawn on. */
export function isDrawable(): boolean {
  return process.stdout.isTTY === true && process.env['TERM'] !== 'dumb'
}

/**
 * Draw a view on the whole terminal, again and again, until the person asks to end it (q or Ctrl-C) or `look` has
 * nothing to show any more.
 *
 * @param look the lines for a terminal of this size; undefined ends the view
 */
export async function drawAgain(look: (size: Size) => Promise<readonly string[] | undefined>): Promise<void> {
  const { stdin, stdout } = process
  const over = Promise.withResolvers<void>()
  let isOver = false
  const end = (): void => {
    isOver = true
    over.resolve()
  }
  const onKey = (keys: Buffer): void => {
    if (END_KEYS.includes(keys.toString('latin1'))) end()
  }
  let lines: readonly string[] = []
  const draw = (): void => {
    const { columns, rows } = sizeOf(stdout)
    const shown = lines.slice(0, rows - 1).map((line) => `${clip(line, columns)}${ERASE_LINE}`)
    stdout.write(`${HOME}${shown.join('\r\n')}\r\n${ERASE_BELOW}`)
  }
  stdout.write(ENTER)
  if (stdin.isTTY) stdin.setRawMode(true)
  stdin.on('data', onKey).resume()
  stdout.on('resize', draw)
  process.once('SIGINT', end).once('SIGTERM', end)
  try {
    while (!isOver) {
      const next = await Promise.race([look(sizeOf(stdout)), over.promise])
      if (isOver || next === undefined) break
      lines = next
      draw()
      await Promise.race([new Promise((resolve) => setTimeout(resolve, REDRAW_MS).unref()), over.promise])
    }
  } finally {
    process.off('SIGINT', end).off('SIGTERM', end)
    stdout.off('resize', draw)
    stdin.off('data', onKey).pause()
    if (stdin.isTTY) stdin.setRawMode(false)
    stdout.write(LEAVE)
  }
}

// ECMA-48, and the alternate screen of xterm, so that the lines before come back.
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[2J'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const ERASE_LINE = '\x1b[K'
const ERASE_BELOW = '\x1b[J'
/** q, Ctrl-C, Ctrl-D, Esc */
const END_KEYS = ['q', '\x03', '\x04', '\x1b']

function sizeOf(stream: NodeJS.WriteStream): Size {
  return { columns: stream.columns || COLUMNS, rows: stream.rows || ROWS }
}

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
