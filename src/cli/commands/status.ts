import { setTimeout as pause } from 'node:timers/promises'
import { type Command, type CommandInput, flagOption } from '#cli/command.ts'
import { showPorts } from '#cli/ports.ts'
import { print, printError, printJson } from '#cli/print.ts'
import { askRunning, NOT_RUNNING } from '#cli/running.ts'
import { drawAgain, isDrawable } from '#cli/screen.ts'
import { type Looks, statusLines } from '#cli/status-view.ts'
import { topOf } from '#cli/top-view.ts'
import type { Status } from '#run/status.ts'

/** `portico status` */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Show what a running Portico serves, how fast, and how each host and origin is doing.',
  usage: '[--ports] [--once] [--json] [--config FILE]',
  options: {
    ports: { type: 'boolean', doc: 'Who listens where, for which host, and who is in the way.' },
    once: { type: 'boolean', doc: 'Print it once, also on a terminal.' },
    json: { type: 'boolean', doc: 'Everything as JSON.' },
  },
  examples: ['portico status', 'portico status --ports', 'portico status --json'],
  async run(input) {
    if (flagOption(input, 'ports')) return showPorts(input)
    const first = await look(input)
    if (first === null) {
      printError(NOT_RUNNING)
      return 1
    }
    const isJson = flagOption(input, 'json')
    if (!isJson && !flagOption(input, 'once') && isDrawable()) {
      await draw(input, first)
      return 0
    }
    await pause(FIRST_MS)
    const looks = looksOf(first, (await look(input)) ?? first)
    if (isJson) printJson({ ...looks.now, rates: topOf(looks.before, looks.now.traffic, [], looks.seconds) })
    else for (const line of statusLines(looks, process.stdout.columns || Infinity)) print(line)
    return 0
  },
}

/** Rates are of so much time when there is no earlier look. */
const FIRST_MS = 1000

async function look(input: CommandInput): Promise<Status | null> {
  return (await askRunning(input, 'GET /status')) as Status | null
}

async function draw(input: CommandInput, first: Status): Promise<void> {
  let before = first
  let isGone = false
  await drawAgain(async ({ columns }) => {
    if (before === first) await pause(FIRST_MS)
    const now = await look(input)
    isGone = now === null
    if (now === null) return undefined
    const lines = statusLines(looksOf(before, now), columns)
    before = now
    return lines
  })
  if (isGone) printError(NOT_RUNNING)
}

/** A Portico that was started anew in between has counted from nothing. */
function looksOf(before: Status, now: Status): Looks {
  const seconds = (Date.parse(now.at) - Date.parse(before.at)) / 1000
  return { before: before.traffic, now, seconds: Math.max(seconds, 0.001) }
}
