import { open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { replaceFile } from '#core/state-file.ts'
import { formatSize } from '#core/units.ts'
import { encodeArguments, TILE_COLUMNS } from './arguments.ts'
import { type Encoding, encode } from './encode.ts'
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

/** Make a rendition beside its film: it is there whole, or not at all. */
export function make(film: LocalFilm, rendition: Rendition, options: MakeOptions): Making {
  const running: { encoding?: Encoding; isStopped: boolean } = { isStopped: false }
  return {
    done: tryToMake(film, rendition, options, running).catch((error: unknown) => {
      return { what: 'failed', why: error instanceof Error ? error.message : String(error) } as const
    }),
    stop() {
      running.isStopped = true
      running.encoding?.stop()
    },
  }
}

async function tryToMake(
  film: LocalFilm,
  rendition: Rendition,
  { command, force, niceness, onProgress, ...how }: MakeOptions,
  running: { encoding?: Encoding; isStopped: boolean },
): Promise<Made> {
  const folder = dirname(film.path)
  const name = nameOfRendition(basename(film.path), rendition)
  const target = join(folder, name)
  const draft = join(folder, `.${name}.${process.pid}.part`)
  const words = (output: string): readonly string[] =>
    encodeArguments({ ...how, input: film.path, output, rendition, frameRate: film.frameRate })
  const of = originOf(film, words(target))
  const standing = await standingOf(film.path, name, of, await octetsOf(target))
  if (standing === 'ours' && !force) return { what: 'kept' }
  if (standing === 'foreign' && !force)
    return { what: 'left', why: `${name} stands already, made by somebody else` }
  const lack = await lackOfSpace(folder, film, rendition)
  if (lack !== null) return { what: 'failed', why: lack }
  if (running.isStopped) return { what: 'failed', why: 'stopped' }
  try {
    running.encoding = encode([...command, ...words(draft)], { niceness, onProgress })
    const fault = await running.encoding.ended
    if (running.isStopped) return { what: 'failed', why: 'stopped' }
    if (fault !== null) return { what: 'failed', why: fault }
    const octets = await synced(draft)
    await noteMade(film.path, name, of, octets)
    if (rendition.kind === 'storyboard') await writeText(film, rendition, { draft, name, folder })
    await rename(draft, target)
    return { what: 'made', octets }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Files that a run which was killed has left in a folder; those of a run that goes on stay. */
export async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\..+\.(\d+)\.part$/.exec(name)?.[1]
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
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
