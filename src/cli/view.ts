import { setTimeout as pause } from 'node:timers/promises'
import { type CommandInput, flagOption, type OptionDoc } from './command.ts'
import { print, printError, printJson } from './print.ts'
import { NOT_RUNNING } from './running.ts'
import { drawAgain, isDrawable, type Size } from './screen.ts'

/** What changes while somebody looks: printed once, as JSON, or drawn again and again. */
export type View<Look, Shown> = {
  /** null when no Portico runs */
  readonly look: () => Promise<Look | null>
  /** what came since the look before */
  readonly compare: (before: Look, now: Look) => Shown
  readonly lines: (shown: Shown, size: Size) => readonly string[]
  /** between the first two looks */
  readonly firstMs: number
}

/** Options of every command that shows one. */
export const viewOptions: Readonly<Record<'once' | 'json', OptionDoc>> = {
  once: { type: 'boolean', doc: 'Print it once, also on a terminal.' },
  json: { type: 'boolean', doc: 'As JSON.' },
}

/** What is printed once may scroll. */
const ONCE: Size = { columns: process.stdout.columns || 120, rows: 48 }

/** @returns the exit code */
export async function showView<Look, Shown>(input: CommandInput, view: View<Look, Shown>): Promise<number> {
  const { look, compare, lines, firstMs } = view
  let before = await look()
  if (before === null) return gone()
  let waitMs = firstMs

  async function next(): Promise<Shown | null> {
    await pause(waitMs)
    waitMs = 0
    const now = await look()
    if (now === null) return null
    const shown = compare(before!, now)
    before = now
    return shown
  }

  const isJson = flagOption(input, 'json')
  let last: Shown | null = null
  if (!isJson && !flagOption(input, 'once') && isDrawable()) {
    await drawAgain(async (size) => {
      last = await next()
      return last === null ? undefined : lines(last, size)
    })
    return last === null ? gone() : 0
  }
  last = await next()
  if (last === null) return gone()
  if (isJson) printJson(last)
  else for (const line of lines(last, ONCE)) print(line)
  return 0
}

function gone(): number {
  printError(NOT_RUNNING)
  return 1
}
