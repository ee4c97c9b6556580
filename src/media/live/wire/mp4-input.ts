import { shiftOf } from '#media/wire/edits.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { type MovieBox, readMovieBox, type TrackBox } from '#media/wire/movie-box.ts'
import { BoxReader, type StreamBox } from './box-reader.ts'
import { readFragment } from './fragment.ts'
import type { Brought, Input, InputTrack } from './input.ts'

/** Fragmented MP4, such as CMAF: `moov` first, then `moof` and `mdat` by turns. */
export class Mp4Input implements Input {
  readonly #limitOctets: number
  #boxes: BoxReader
  #movie: MovieBox | null = null
  /** number of each track by its id, and what is added to its decode times */
  #places = new Map<number, { readonly track: number; readonly shiftTicks: number }>()
  #moof: StreamBox | null = null

  /** @param limitOctets of one box */
  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets
    this.#boxes = createReader(limitOctets)
  }

  restart(): void {
    this.#boxes = createReader(this.#limitOctets)
    this.#moof = null
  }

  take(octets: Uint8Array): Brought[] {
    return this.#boxes.take(octets).flatMap((box) => this.#read(box))
  }

  finish(): Brought[] {
    return []
  }

  #read(box: StreamBox): Brought[] {
    if (box.type === 'moov') return this.#begin(box)
    if (box.type === 'moof') {
      this.#moof = box
      return []
    }
    const moof = this.#moof
    this.#moof = null
    if (this.#movie === null)
      throw new MediaFault('The stream has to begin with its moov: let the encoder write "empty_moov"')
    if (moof === null) {
      if (box.content.length === 0) return []
      throw new MediaFault(
        'An mdat has no moof before it: let the encoder write fragments, such as "frag_keyframe"',
      )
    }
    return this.#samples(moof, box)
  }

  #samples(moof: StreamBox, mdat: StreamBox): Brought[] {
    return readFragment(moof, mdat, this.#movie!.defaults!).flatMap(({ trackId, samples }) => {
      const place = this.#places.get(trackId)
      if (place === undefined) return []
      const { track, shiftTicks } = place
      return samples.map((sample) => {
        return { kind: 'sample' as const, track, sample: { ...sample, at: sample.at + shiftTicks } }
      })
    })
  }

  /** Encoders that send segments repeat what stands before them. */
  #begin(moov: StreamBox): Brought[] {
    if (this.#movie !== null) return []
    const movie = readMovieBox({
      type: 'moov',
      content: moov.content,
      at: moov.contentAt,
      size: moov.content.length + 8,
    })
    if (movie.defaults === undefined)
      throw new MediaFault('The movie has no fragments (mvex): let the encoder write "empty_moov"')
    const played = movie.tracks.filter(({ kind }) => kind !== 'text')
    if (played.length === 0)
      throw new MediaFault(movie.refused[0]?.reason ?? 'The movie has no video and no audio')
    this.#movie = movie
    for (const [track, box] of played.entries()) {
      const shift = shiftOf(box.edits, movie.timescale, box.timescale)
      this.#places.set(box.id, { track, shiftTicks: typeof shift === 'string' ? 0 : shift.offsetTicks })
    }
    return [{ kind: 'tracks', tracks: played.map(describe) }]
  }
}

function createReader(limitOctets: number): BoxReader {
  return new BoxReader(['moov', 'moof', 'mdat'], limitOctets)
}

function describe({ kind, timescale, language, entries }: TrackBox): InputTrack {
  const { codec, octets, width, height, channels, sampleRate } = entries[0]!
  const isVideo = kind === 'video'
  return {
    kind: isVideo ? 'video' : 'audio',
    codec,
    timescale,
    language,
    width,
    height,
    channels,
    sampleRate,
    entry: octets,
  }
}
