import { MediaFault } from '#media/wire/fault.ts'
import { readAdts } from './aac.ts'
import { readDolby } from './dolby.ts'
import type { Elementary } from './elementary.ts'
import { AVC, ElementaryPictures, HEVC } from './elementary-pictures.ts'
import { ElementarySound } from './elementary-sound.ts'
import type { Brought, Input } from './input.ts'
import type { Sample } from './sample.ts'
import { type ElementaryStream, type Pes, TsPackets } from './ts-packets.ts'

/** By the type of a stream (ISO 13818-1 §2.4.4.9, ATSC A/52 §A4.1). */
const KINDS: Readonly<Record<number, (language: string) => Elementary>> = {
  27: () => new ElementaryPictures(AVC),
  36: () => new ElementaryPictures(HEVC),
  15: (language) => new ElementarySound(readAdts, language),
  129: (language) => new ElementarySound(readDolby, language),
  135: (language) => new ElementarySound(readDolby, language),
}
/** Named in the refusal of a stream of which nothing can be taken. */
const OTHERS: Readonly<Record<number, string>> = {
  2: 'MPEG-2',
  3: 'MP3',
  4: 'MP3',
  17: 'AAC in LATM',
}
/**
 * A stream that the program names and of which nothing has come when others are so far is left out: sound comes in
 * frames each of which can be read, pictures begin with a key frame, and x264 makes one each ten seconds by itself.
 */
const SOUND_WAIT_SECONDS = 2
const PICTURES_WAIT_SECONDS = 11
/** what a sample costs beside its octets */
const SAMPLE_OCTETS = 200

/** MPEG-TS with H.264 or HEVC, and AAC or (E-)AC-3; other streams of it are left out. */
export class TsInput implements Input {
  readonly #packets: TsPackets
  readonly #streams = new Map<number, Elementary>()
  #held: { readonly pid: number; readonly sample: Sample }[] = []
  #heldOctets = 0
  readonly #limitOctets: number
  /** the number of each track, once they were told */
  #numbers: Map<number, number> | null = null

  constructor(limitOctets: number) {
    this.#packets = new TsPackets(limitOctets)
    this.#limitOctets = limitOctets
  }

  restart(): void {
    this.#packets.restart()
  }

  take(octets: Uint8Array): Brought[] {
    for (const event of this.#packets.take(octets)) {
      if (event.kind === 'program') this.#begin(event.streams)
      else this.#read(event.pid, event.pes)
    }
    return this.#bring(false)
  }

  finish(): Brought[] {
    for (const event of this.#packets.finish()) if (event.kind === 'pes') this.#read(event.pid, event.pes)
    for (const [pid, stream] of this.#streams)
      for (const sample of stream.finish()) this.#held.push({ pid, sample })
    return this.#bring(true)
  }

  #begin(streams: readonly ElementaryStream[]): void {
    for (const { pid, type, language } of streams) {
      const stream = KINDS[type]?.(language)
      if (stream !== undefined) this.#streams.set(pid, stream)
    }
    if (this.#streams.size > 0) return
    const names = streams.map(({ type }) => OTHERS[type] ?? `type ${type}`).join(', ')
    throw new MediaFault(
      `The program has ${names || 'no streams'}; H.264, HEVC, AAC and AC-3 are taken in MPEG-TS, others in fragmented MP4`,
    )
  }

  #read(pid: number, pes: Pes): void {
    for (const sample of this.#streams.get(pid)?.take(pes) ?? []) {
      this.#held.push({ pid, sample })
      this.#heldOctets += sample.octets.length + SAMPLE_OCTETS
    }
    if (this.#heldOctets > this.#limitOctets) throw new MediaFault('The times of the streams do not go on')
  }

  #bring(isOver: boolean): Brought[] {
    const told = this.#tell(isOver)
    const numbers = this.#numbers
    if (numbers === null) return told
    const held = this.#held
    this.#held = []
    this.#heldOctets = 0
    const samples = held.flatMap(({ pid, sample }): Brought[] => {
      const track = numbers.get(pid)
      return track === undefined ? [] : [{ kind: 'sample', track, sample }]
    })
    return [...told, ...samples]
  }

  /** Tracks are told together, when something of each has come, or of some for long enough. */
  #tell(isOver: boolean): Brought[] {
    if (this.#numbers !== null || this.#streams.size === 0) return []
    const known = [...this.#streams].filter(([, { track }]) => track !== null)
    if (known.length < this.#streams.size && !isOver && !this.#hasWaited()) return []
    if (known.length === 0) {
      if (isOver) return []
      throw new MediaFault(`No stream of the program could be read in ${PICTURES_WAIT_SECONDS} s`)
    }
    this.#numbers = new Map(known.map(([pid], i) => [pid, i]))
    return [{ kind: 'tracks', tracks: known.map(([, { track }]) => track!) }]
  }

  #hasWaited(): boolean {
    const streams = [...this.#streams.values()]
    const lacksPictures = streams.some(
      (stream) => stream instanceof ElementaryPictures && stream.track === null,
    )
    const limit = lacksPictures ? PICTURES_WAIT_SECONDS : SOUND_WAIT_SECONDS
    return streams.some(({ seconds }) => seconds > limit)
  }
}
