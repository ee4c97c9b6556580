import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Command, type CommandInput, flagOption, textOption, UsageError } from '#cli/command.ts'
import { print, printError } from '#cli/print.ts'
import { createTranscodeView } from '#cli/transcode-view.ts'
import { parseDuration } from '#core/units.ts'
import { findEncoder } from '#media/ladder/find-encoder.ts'
import { HEIGHTS } from '#media/ladder/ladder.ts'
import { sweep } from '#media/ladder/make.ts'
import { createLadderQueue, type LadderEvent, type LadderQueue } from '#media/ladder/queue.ts'
import { createFolderWatch } from '#media/ladder/watch-folder.ts'

/** How often a watched folder is looked at: a film that has not grown between two looks is whole. */
const LOOK_MS = 3000

const NO_ENCODER = `There is no ffmpeg on PATH, and the package node-av is not installed; one of them makes renditions.
Fix: apt-get install ffmpeg, or npm install node-av`

const PRESETS = [
  'ultrafast',
  'superfast',
  'veryfast',
  'faster',
  'fast',
  'medium',
  'slow',
  'slower',
  'veryslow',
]

/** `portico transcode` */
export const transcodeCommand: Command = {
  name: 'transcode',
  summary: 'Make smaller renditions of films beside them, which "stream" offers together with the film.',
  usage:
    'FILE…|--watch FOLDER [--heights LIST] [--storyboard] [--by-complexity] [--loudness] [--preset NAME] [--jobs N] [--nice N] [--lag TIME] [--force] [--json]',
  options: {
    watch: {
      type: 'string',
      value: 'FOLDER',
      doc: 'Go on with every film that comes into this folder, or one in it.',
    },
    heights: {
      type: 'string',
      value: 'LIST',
      doc: `Heights to make, of ${HEIGHTS.join(', ')}; all when not given. None is taller than the film.`,
    },
    storyboard: {
      type: 'boolean',
      doc: 'A picture of many small ones for the seek bar, and WebVTT that says which is when.',
    },
    'by-complexity': {
      type: 'boolean',
      doc: 'Equal quality: what is simple takes less than the usual bit rate.',
    },
    loudness: {
      type: 'boolean',
      doc: 'Make the sound anew, equally loud for all films (EBU R 128, -16 LUFS).',
    },
    jobs: { type: 'string', value: 'N', doc: 'Encoders at a time, 1 when not given; each uses all cores.' },
    nice: {
      type: 'string',
      value: 'N',
      doc: 'How far encoders step back for others, 0 to 19; 10 when not given.',
    },
    lag: {
      type: 'string',
      value: 'TIME',
      doc: 'With --watch: while what waits takes longer than this, such as 6h, new films wait in their folder; 24h when not given.',
    },
    preset: {
      type: 'string',
      value: 'NAME',
      doc: 'Of x264, ultrafast to veryslow; "medium" when not given.',
    },
    force: { type: 'boolean', doc: 'Make again what stands already.' },
    json: { type: 'boolean', doc: 'One JSON object a line for each event.' },
  },
  positionals: { min: 0, max: 10_000, are: 'files' },
  examples: [
    'portico transcode films/holiday.mp4 --storyboard',
    'portico transcode --watch ./films --heights 720,360',
  ],
  async run(input) {
    const folder = textOption(input, 'watch')
    const files = input.positionals
    if ((folder === undefined) === (files.length === 0))
      throw new UsageError('Name films, or --watch and a folder: one of both.')
    for (const file of files) requireKind(file, 'file')
    if (folder !== undefined) requireKind(folder, 'folder')
    const how = readOptions(input)
    const command = await findEncoder(process.env['PATH'] ?? '')
    if (command === null) {
      printError(NO_ENCODER)
      return 1
    }
    const isJson = flagOption(input, 'json')
    const view = createTranscodeView()
    const bad = new Set<string>()
    const onEvent = (event: LadderEvent): void => {
      if (event.event === 'failed' || event.event === 'refused') bad.add(event.film)
      if (isJson) print(JSON.stringify(event))
      else view.tell(event, queue.waiting())
    }
    const queue = createLadderQueue({ ...how, command, onEvent })
    const stopping = stopSignal()
    const work = folder === undefined ? makeAll(queue, files) : watch(queue, folder, stopping)
    // What was asked to end has ended when no encoder is left.
    stopping.addEventListener('abort', () => void queue.stop())
    await work
    view.end()
    if (stopping.aborted) return stopping.reason === 'SIGINT' ? 130 : 143
    return bad.size === 0 ? 0 : 1
  },
}

async function makeAll(queue: LadderQueue, files: readonly string[]): Promise<void> {
  for (const folder of new Set(files.map((file) => dirname(file)))) await sweep(folder)
  for (const file of files) await queue.add(file)
  await queue.empty()
}

async function watch(queue: LadderQueue, folder: string, stopping: AbortSignal): Promise<void> {
  for (const { parentPath, name } of await foldersOf(folder)) await sweep(join(parentPath, name))
  await sweep(folder)
  const films = createFolderWatch(folder)
  while (!stopping.aborted) {
    await films.look((path) => queue.add(path))
    await pause(LOOK_MS, undefined, { signal: stopping }).catch(() => {})
  }
  await queue.empty()
}

async function foldersOf(folder: string) {
  return (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  )
}

/** Aborted by the first signal that wants an end, with its name as the reason. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort(name))
  return stopping.signal
}

function requireKind(path: string, kind: 'file' | 'folder'): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new UsageError(`There is no ${kind} ${path}.`)
  if (found.isDirectory() !== (kind === 'folder'))
    throw new UsageError(
      kind === 'file' ? `${path} is a folder; --watch takes one.` : `${path} is no folder.`,
    )
}

function readOptions(input: CommandInput) {
  const preset = textOption(input, 'preset') ?? 'medium'
  if (!PRESETS.includes(preset))
    throw new UsageError(`--preset is "${preset}"; one of ${PRESETS.join(', ')} is wanted.`)
  return {
    heights: readHeights(textOption(input, 'heights')),
    storyboard: flagOption(input, 'storyboard'),
    byComplexity: flagOption(input, 'by-complexity'),
    loudness: flagOption(input, 'loudness'),
    force: flagOption(input, 'force'),
    preset,
    jobs: readNumber(input, 'jobs', { initial: 1, min: 1, max: 16 }),
    lagSeconds: readLag(input),
    niceness: readNumber(input, 'nice', { initial: 10, min: 0, max: 19 }),
  }
}

function readLag(input: CommandInput): number {
  const written = textOption(input, 'lag')
  // Films that are named are all made, however long it takes.
  if (textOption(input, 'watch') === undefined) return Number.POSITIVE_INFINITY
  const lagMs = written === undefined ? DAY_MS : parseDuration(written)
  if (lagMs !== undefined) return lagMs / 1000
  throw new UsageError(`--lag is "${written}"; a time such as 6h is wanted.`)
}

const DAY_MS = 86_400_000

function readHeights(written: string | undefined): readonly number[] {
  if (written === undefined) return HEIGHTS
  const heights = written.split(',').map((word) => Number(word.trim().replace(/p$/, '')))
  const other = heights.findIndex((height) => !HEIGHTS.includes(height))
  if (other < 0) return heights
  throw new UsageError(`--heights has "${written.split(',')[other]}"; there are ${HEIGHTS.join(', ')}.`)
}

function readNumber(
  input: CommandInput,
  name: string,
  { initial, min, max }: { initial: number; min: number; max: number },
): number {
  const written = textOption(input, name)
  const number = written === undefined ? initial : Number(written)
  if (Number.isInteger(number) && number >= min && number <= max) return number
  throw new UsageError(`--${name} is "${written}"; a number from ${min} to ${max} is wanted.`)
}
