import { open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { messageOf } from '#core/errors.ts'
import { replaceFile } from '#core/state-file.ts'
import { formatSize } from '#core/units.ts'
import { isAlive } from './alive.ts'
import { encodeArguments, joinArguments, TILE_COLUMNS } from './arguments.ts'
import { type Draft, removeForgotten, takeDraft } from './draft.ts'
import { type Encoding, type EncodingFault, type EncodingOptions, encode } from './encode.ts'
import type { LocalFilm } from './film-facts.ts'
import { nameOfRendition, type Rendition } from './ladder.ts'
import type { Progress } from './progress.ts'
import { noteMade, originOf, standingOf } from './record.ts'
import { sizeOfJpeg, storyboardText } from './storyboard.ts'

export type MakeOptions = {
  /** the words that start ffmpeg */
  readonly command: readonly string[]
  readonly byComplexity: boolean
  readonly loudness: boolean
  readonly preset: string
  readonly niceness: number
  /** make what stands already again, whoever made it */
  readonly force: boolean
  readonly onProgress: (progress: Progress) => void
  /** It goes on where an encoder left it that is no more. */
  readonly onResume: (fromSeconds: number) => void
}

/** What came of it; `why` is for people. */
export type Made =
  | { readonly what: 'made'; readonly octets: number }
  | { readonly what: 'kept' }
  | { readonly what: 'left'; readonly why: string }
  | { readonly what: 'failed'; readonly why: string }

/** Making one rendition, which can be stopped. */
export type Making = { readonly done: Promise<Made>; stop(): void }

/** Disks are not filled to the brim: others write there. */
const SPARE_OCTETS = 512 * 2 ** 20

/** An encoder that crashes so often for one rendition does so for a reason. */
const LIMIT_CRASHES = 5

/** Make a rendition beside its film: it is there whole, or not at all. */
export function make(film: LocalFilm, rendition: Rendition, options: MakeOptions): Making {
  const running: Running = { isStopped: false }
  return {
    done: tryToMake(film, rendition, options, running).catch((error: unknown) => {
      return { what: 'failed', why: messageOf(error) } as const
    }),
    stop() {
      running.isStopped = true
      running.encoding?.stop()
    },
  }
}

type Running = { encoding?: Encoding; isStopped: boolean }

async function tryToMake(
  film: LocalFilm,
  rendition: Rendition,
  options: MakeOptions,
  running: Running,
): Promise<Made> {
  const folder = dirname(film.path)
  const name = nameOfRendition(basename(film.path), rendition)
  const target = join(folder, name)
  const part = join(folder, `.${name}.${process.pid}.part`)
  const words = (output: string, fromSeconds = 0): readonly string[] => {
    const { frameRate, path: input } = film
    return encodeArguments({ ...options, input, fromSeconds, output, rendition, frameRate })
  }
  const of = originOf(film, words(target))
  const standing = await standingOf(film.path, name, of, await octetsOf(target))
  if (standing === 'ours' && !options.force) return { what: 'kept' }
  if (standing === 'foreign' && !options.force)
    return { what: 'left', why: `${name} stands already, made by somebody else` }
  const lack = await lackOfSpace(folder, film, rendition)
  if (lack !== null) return { what: 'failed', why: lack }
  const { durationSeconds } = film
  const draft = rendition.kind === 'video' ? await takeDraft(folder, { name, of, durationSeconds }) : null
  try {
    const fault =
      draft === null
        ? await run(words(part), options, running)
        : await makePictures(draft, film, { ...options, running, words: (from) => words('', from), part })
    if (fault !== null) return { what: 'failed', why: fault.why }
    const octets = await synced(part)
    await noteMade(film.path, name, of, octets)
    if (rendition.kind === 'storyboard') await writeText(film, rendition, { draft: part, name, folder })
    await rename(part, target)
    await draft?.remove()
    return { what: 'made', octets }
  } finally {
    await rm(part, { force: true })
  }
}

type PictureOptions = MakeOptions & {
  readonly running: Running
  readonly words: (fromSeconds: number) => readonly string[]
  readonly part: string
}

/** Go on with a draft until it is whole, also when an encoder crashes, and make the rendition of it. */
async function makePictures(
  draft: Draft,
  { frameRate }: LocalFilm,
  { running, words, part, ...options }: PictureOptions,
): Promise<EncodingFault | null> {
  for (let crashes = 0; ; crashes++) {
    const fromSeconds = await draft.cut()
    if (fromSeconds > 0) options.onResume(fromSeconds)
    const output = await open(draft.path, 'a')
    // An encoder that keeps the film's times counts its own from anywhere.
    const onProgress = ({ frames, ...progress }: Progress): void =>
      options.onProgress({ ...progress, frames, seconds: fromSeconds + frames / Math.max(frameRate, 1) })
    const fault = await run(words(fromSeconds), { ...options, onProgress, output: output.fd }, running)
    await output.close()
    if (fault === null) break
    if (!fault.isCrash || running.isStopped || crashes >= LIMIT_CRASHES) return fault
  }
  return run(joinArguments(draft.path, part), { ...options, onProgress: () => {} }, running)
}

/** Run an encoder to its end, unless all has been stopped. */
async function run(
  words: readonly string[],
  { command, ...options }: Pick<MakeOptions, 'command' | 'niceness' | 'onProgress'> & EncodingOptions,
  running: Running,
): Promise<EncodingFault | null> {
  const stopped = { why: 'stopped', isCrash: false }
  if (running.isStopped) return stopped
  running.encoding = encode([...command, ...words], options)
  const fault = await running.encoding.ended
  return running.isStopped ? stopped : fault
}

/** Files that a run which was killed has left in a folder; those of a run that goes on stay. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\..+\.(\d+)\.part$/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true })
    else await removeForgotten(folder, name)
  }
}

async function octetsOf(path: string): Promise<number | null> {
  const found = await stat(path).catch(() => null)
  return found?.isFile() ? found.size : null
}

async function synced(path: string): Promise<number> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

async function lackOfSpace(folder: string, film: LocalFilm, rendition: Rendition): Promise<string | null> {
  const bits = rendition.kind === 'storyboard' ? 0 : rendition.bitsPerSecond
  const wanted = (bits / 8) * film.durationSeconds + SPARE_OCTETS
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize >= wanted) return null
  return `the disk has ${formatSize(bavail * bsize)} left, and ${formatSize(Math.ceil(wanted))} are wanted`
}

async function writeText(
  film: LocalFilm,
  { tiles, everySeconds }: Rendition & { readonly kind: 'storyboard' },
  { draft, name, folder }: { readonly draft: string; readonly name: string; readonly folder: string },
): Promise<void> {
  const size = sizeOfJpeg(await readFile(draft))
  if (size === null) throw new Error('the encoder made no picture')
  const rows = Math.ceil(tiles / TILE_COLUMNS)
  const sheet = {
    picture: encodeURIComponent(name),
    tiles,
    everySeconds,
    durationSeconds: film.durationSeconds,
  }
  const tile = { width: size.width / TILE_COLUMNS, height: size.height / rows }
  await replaceFile(join(folder, name.replace(/jpg$/, 'vtt')), storyboardText({ ...sheet, ...tile }), 0o644)
}
