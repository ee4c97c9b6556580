import { setTimeout as pause } from 'node:timers/promises'
import type { BusyKey } from '#metrics/busiest.ts'
import type { Status } from '#run/status.ts'
import { type Command, type CommandInput, flagOption } from './command.ts'
import { print, printError, printJson } from './print.ts'
import { askRunning, NOT_RUNNING } from './running.ts'
import { drawAgain, isDrawable, type Size } from './screen.ts'
import { type Top, topLines, topOf } from './top-view.ts'

/** `portico top` */
export const topCommand: Command = {
  name: 'top',
  summary: 'Show the busiest hosts, routes and clients of a running Portico.',
  usage: '[--once] [--json] [--config FILE]',
  options: {
    once: { type: 'boolean', doc: 'Print it once, also on a terminal.' },
    json: { type: 'boolean', doc: 'As JSON.' },
  },
  examples: ['portico top', 'portico top --json'],
  async run(input) {
    const looker = await createLooker(input)
    if (looker === null) {
      printError(NOT_RUNNING)
      return 1
    }
    const isJson = flagOption(input, 'json')
    if (!isJson && !flagOption(input, 'once') && isDrawable()) return draw(looker)
    await pause(FIRST_MS)
    const top = await looker()
    if (top === null) {
      printError(NOT_RUNNING)
      return 1
    }
    if (isJson) printJson(top)
    else for (const line of topLines(top, ONCE)) print(line)
    return 0
  },
}

/** Between the first two looks. */
const FIRST_MS = 2000
/** What is printed once may scroll. */
const ONCE: Size = { columns: process.stdout.columns || 120, rows: 48 }

type Looker = () => Promise<Top | null>

/** Looks that each say what came since the one before; null when no Portico runs. */
async function createLooker(input: CommandInput): Promise<Looker | null> {
  let before = await look(input)
  if (before === null) return null
  return async () => {
    const now = await look(input)
    if (now === null || before === null) return null
    const seconds = (Date.parse(now.status.at) - Date.parse(before.status.at)) / 1000
    const top = topOf(before.status.traffic, now.status.traffic, now.clients, Math.max(seconds, 0.001))
    before = now
    return top
  }
}

/** Clients are counted from one look to the next, and not at all while nobody looks. */
async function look(
  input: CommandInput,
): Promise<{ readonly status: Status; readonly clients: readonly BusyKey[] } | null> {
  const clients = await askRunning(input, 'GET /clients')
  const status = await askRunning(input, 'GET /status')
  if (clients === null || status === null) return null
  return { status: status as Status, clients: clients as readonly BusyKey[] }
}

async function draw(looker: Looker): Promise<number> {
  let isFirst = true
  let isGone = false
  await drawAgain(async (size) => {
    if (isFirst) await pause(FIRST_MS / 2)
    isFirst = false
    const top = await looker()
    isGone = top === null
    return top === null ? undefined : topLines(top, size)
  })
  if (isGone) printError(NOT_RUNNING)
  return isGone ? 1 : 0
}
