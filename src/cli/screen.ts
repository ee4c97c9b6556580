import { setTimeout as pause } from 'node:timers/promises'
import { clip } from './table.ts'

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
  const ending = new AbortController()
  const { signal } = ending
  const end = (): void => ending.abort()
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
    while (!signal.aborted) {
      const next = await look(sizeOf(stdout))
      if (next === undefined) break
      lines = next
      draw()
      // Whoever ends it does not wait.
      await pause(REDRAW_MS, undefined, { signal }).catch(() => {})
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
