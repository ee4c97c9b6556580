import { box, fullBoxOf, u16, u32, u64, zeros } from '#media/wire/bmff-write.ts'

/** A box while a test may still change it. */
export type Draft = { type: string; parts: (Uint8Array | Draft)[] }

/** The octets of a draft. */
export function written(draft: Draft): Uint8Array {
  return box(draft.type, ...draft.parts.map((part) => (part instanceof Uint8Array ? part : written(part))))
}

/** Find a box by its path, such as `trak/mdia`. */
export function boxAt(draft: Draft, path: string): Draft {
  let found = draft
  for (const type of path.split('/')) {
    found = found.parts.find((part): part is Draft => !(part instanceof Uint8Array) && part.type === type)!
    if (!found) throw new Error(`The film has no ${type} in ${path}`)
  }
  return found
}

/** Put other parts into a box. */
export function fill(draft: Draft, path: string, ...parts: (Uint8Array | Draft)[]): void {
  boxAt(draft, path).parts = parts
}

/** A full box's version and flags, then 32-bit numbers. */
export function table(...values: number[]): Uint8Array {
  return u32(0, ...values)
}

const avcC = Uint8Array.of(
  1,
  0x42,
  0xc0,
  0x0b,
  0xff,
  0xe1,
  0,
  4,
  0x67,
  0x42,
  0xc0,
  0x0b,
  1,
  0,
  4,
  0x68,
  0xce,
  0x3c,
  0x80,
)

/** Six pictures of 10 octets in two chunks, a key frame each third, 25 a second; `sampleOctets` are theirs. */
export function videoTrack(id = 1): Draft {
  const entry = draft('avc1', zeros(6), u16(1), zeros(16), u16(64, 48), zeros(50), draft('avcC', avcC))
  return track(id, 'vide', [
    draft('stsd', table(1), entry),
    draft('stts', table(1, 6, 512)),
    draft('ctts', table(3, 2, 1024, 2, 512, 2, 1024)),
    draft('stss', table(2, 1, 4)),
    draft('stsc', table(1, 1, 3, 1)),
    draft('stsz', table(0, 6, 10, 10, 10, 10, 10, 10)),
    draft('stco', table(2, 24, 54)),
  ])
}

/** Three samples of WebVTT behind the pictures, a second each, of these octets. */
export function textTrack(id: number, octets: readonly number[]): Draft {
  const made = track(id, 'text', [
    draft(
      'stsd',
      table(1),
      draft('wvtt', zeros(6), u16(1), draft('vttC', new TextEncoder().encode('WEBVTT'))),
    ),
    draft('stts', table(1, octets.length, 12800)),
    draft('stsc', table(1, 1, octets.length, 1)),
    draft('stsz', table(0, octets.length, ...octets)),
    draft('stco', table(1, 84)),
  ])
  fill(made, 'edts/elst', table(0))
  return made
}

function draft(type: string, ...parts: (Uint8Array | Draft)[]): Draft {
  return { type, parts }
}

/** A box to put into a film. */
export const draftOf: typeof draft = draft

function track(id: number, handler: string, tables: Draft[]): Draft {
  const matrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
  return draft(
    'trak',
    draft('tkhd', u32(3, 0, 0, id, 0, 240), zeros(16), matrix, u32(64 << 16, 48 << 16)),
    draft('edts', draft('elst', table(1, 240, 1024), u16(1, 0))),
    draft(
      'mdia',
      draft('mdhd', u32(0, 0, 0, 12800, 3072), u16(0x55c4, 0)),
      draft('hdlr', u32(0, 0), new TextEncoder().encode(handler), zeros(13)),
      draft('minf', draft('stbl', ...tables)),
    ),
  )
}

/** moov of a film with the tracks. */
export function movieBox(...tracks: Draft[]): Draft {
  return draft('moov', draft('mvhd', u32(0, 0, 0, 1000, 240), zeros(80)), ...tracks)
}

/** What stands before moov: ftyp of 16 octets, and mdat with `octets` of samples from octet 24 on. */
export function beforeMovie(octets = 60): Uint8Array {
  return Buffer.concat([
    box('ftyp', 'isom', zeros(4)),
    box(
      'mdat',
      Uint8Array.from({ length: octets }, (_, i) => i),
    ),
  ])
}

/** A whole film, mdat first. */
export function filmOf(moov: Draft): Uint8Array {
  return Buffer.concat([beforeMovie(), written(moov)])
}

/** A film of fragments: moov without samples, then moof and mdat of `count` samples each. */
export function fragmentedFilm(fragments: readonly Draft[]): Uint8Array {
  const moov = movieBox(videoTrack())
  for (const [path, entries] of Object.entries({
    stts: [0],
    ctts: [0],
    stss: [0],
    stsc: [0],
    stsz: [0, 0],
    stco: [0],
  })) {
    fill(moov, `trak/mdia/minf/stbl/${path}`, table(...entries))
  }
  moov.parts.push(draft('mvex', draft('trex', table(1, 1, 512, 10, 0x10000))))
  const mdat = box('mdat', zeros(30))
  return Buffer.concat([
    box('ftyp', 'isom', zeros(4)),
    written(moov),
    ...fragments.flatMap((moof) => [written(moof), mdat]),
  ])
}

/** A fragment of three samples, the first a key frame. */
export function fragment(decodeTime: number): Draft {
  const tfhd = draft('tfhd', u32(0x20000, 1))
  const tfdt = draft('tfdt', fullBoxOf('', 1, 0, u64(decodeTime)).subarray(8))
  const trun = draft('trun', u32(0x5, 3, 100, 0x2000000))
  return draft('moof', draft('mfhd', table(1)), draft('traf', tfhd, tfdt, trun))
}
