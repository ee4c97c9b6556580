import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initFile, segmentFile } from '#media/live/folder.ts'
import type { LiveTrack, Stretch } from '#media/live/news.ts'
import { FILM } from '#media/live/view/film.ts'
import { writeInit } from '#media/live/wire/init.ts'
import type { InputTrack } from '#media/live/wire/input.ts'
import { writePart } from '#media/live/wire/part.ts'
import type { CutPart } from './cutter.ts'

export type WriterOptions = {
  /** of the broadcast */
  readonly folder: string
  /** in the order of the parts' tracks */
  readonly tracks: readonly LiveTrack[]
  /** added to decode times, in ticks of each track */
  readonly shifts: readonly number[]
  /** number of the first segment */
  readonly msn: number
}

/** Writes the initialisation segments of an encoder's tracks, and one of all of them for the recording as one film. */
export async function writeInits(
  folder: string,
  init: number,
  names: readonly string[],
  tracks: readonly InputTrack[],
): Promise<void> {
  const numbered = tracks.map((track, i) => ({ id: i + 1, track }))
  await Promise.all([
    ...numbered.map((one, i) => writeFile(join(folder, initFile(names[i]!, init)), writeInit([one]))),
    writeFile(join(folder, initFile(FILM, init)), writeInit(numbered)),
  ])
}

/** Writes parts behind each other into the files of their segments, one for each track. */
export class SegmentWriter {
  readonly #options: WriterOptions
  #files: FileHandle[] = []
  #msn: number
  #sequence = 0

  constructor(options: WriterOptions) {
    this.#options = options
    this.#msn = options.msn
  }

  /** @returns what was written of each track */
  async write({ tracks, closes }: CutPart): Promise<Stretch[]> {
    const { shifts } = this.#options
    if (this.#files.length === 0) await this.#open()
    this.#sequence++
    const stretches = await Promise.all(
      tracks.map(async (samples, i): Promise<Stretch> => {
        const last = samples.at(-1)
        if (last === undefined) return { at: 0, ticks: 0, octets: 0 }
        const octets = writePart(i + 1, this.#sequence, samples, shifts[i]!)
        await this.#files[i]!.writeFile(octets)
        const at = samples[0]!.at + shifts[i]!
        return { at, ticks: last.at + last.ticks - samples[0]!.at, octets: octets.length }
      }),
    )
    if (closes) await this.close()
    return stretches
  }

  /** The segment ends. */
  async close(): Promise<void> {
    const files = this.#files
    if (files.length === 0) return
    this.#files = []
    this.#msn++
    await Promise.all(files.map((file) => file.close()))
  }

  async #open(): Promise<void> {
    const { folder, tracks } = this.#options
    this.#files = await Promise.all(
      tracks.map(({ name }) => open(join(folder, segmentFile(name, this.#msn)), 'w')),
    )
  }
}
