import type { Movie, Track } from '#media/movie/movie.ts'
import { box, fullBoxOf, u16, u32, u64, zeros } from '#media/wire/bmff-write.ts'

/**
 * The initialization segment of a track (ISO 23000-19 §7.3.1): what a decoder must know before the first media segment.
 *
 * An edit list leaves out what is decoded before time 0: the delay of B-frames, the priming of audio.
 *
 * @throws {RangeError} when the movie has no such track
 */
export function initSegment(movie: Movie, trackId: number): Uint8Array {
  const track = trackById(movie, trackId)
  const ftyp = box('ftyp', 'iso6', u32(0), 'iso6', 'cmfc')
  return Buffer.concat([ftyp, box('moov', movieHeader(track), trackBox(track), movieExtends(track))])
}

/** @throws {RangeError} when the movie has no such track */
export function trackById({ tracks }: Pick<Movie, 'tracks'>, trackId: number): Track {
  const track = tracks.find(({ id }) => id === trackId)
  if (!track)
    throw new RangeError(`The movie has no track ${trackId}; it has ${tracks.map(({ id }) => id).join(', ')}`)
  return track
}

const upright = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

function movieHeader({ timescale, id }: Track): Uint8Array {
  const volumeAndRate = [u32(0x10000), u16(0x100), zeros(10)]
  return fullBoxOf('mvhd', 0, 0, u32(0, 0, timescale, 0), ...volumeAndRate, upright, zeros(24), u32(id + 1))
}

function trackBox(track: Track): Uint8Array {
  const parts = [trackHeader(track), ...editList(track), media(track)]
  return box('trak', ...parts)
}

const enabledInMovie = 3

function trackHeader({ id, kind, width, height, matrix }: Track): Uint8Array {
  const volume = kind === 'audio' ? 0x100 : 0
  const isTurned = matrix.subarray(0, 4).every((octet) => octet === 0)
  const [w, h] = isTurned ? [height, width] : [width, height]
  const times = [u32(0, 0, id, 0, 0), zeros(8)]
  const place = [u16(0, 0, volume, 0), matrix, u32(w * 0x10000, h * 0x10000)]
  return fullBoxOf('tkhd', 0, enabledInMovie, ...times, ...place)
}

/** Where the presentation begins in the media (ISO 14496-12 §8.6.6); a duration of 0 is all that follows. */
function editList({ offsetTicks }: Track): Uint8Array[] {
  if (offsetTicks >= 0) return []
  return [box('edts', fullBoxOf('elst', 1, 0, u32(1), u64(0, -offsetTicks), u16(1, 0)))]
}

function media(track: Track): Uint8Array {
  const { kind, timescale, language } = track
  const undetermined = 0x55c4
  const header = fullBoxOf('mdhd', 0, 0, u32(0, 0, timescale, 0), u16(undetermined, 0))
  const handler = fullBoxOf('hdlr', 0, 0, u32(0), kind === 'video' ? 'vide' : 'soun', zeros(12), '\0')
  const extended = language === 'und' ? [] : [fullBoxOf('elng', 0, 0, `${language}\0`)]
  const kindHeader = kind === 'video' ? fullBoxOf('vmhd', 0, 1, zeros(8)) : fullBoxOf('smhd', 0, 0, zeros(4))
  const here = fullBoxOf('dref', 0, 0, u32(1), fullBoxOf('url ', 0, 1))
  const information = box('minf', kindHeader, box('dinf', here), sampleTable(track))
  return box('mdia', header, handler, ...extended, information)
}

/** The tables that must be there, empty: samples are in fragments. */
function sampleTable({ entries }: Track): Uint8Array {
  const stsd = fullBoxOf('stsd', 0, 0, u32(entries.length), ...entries)
  const [stts, stsc, stco] = ['stts', 'stsc', 'stco'].map((type) => fullBoxOf(type, 0, 0, u32(0)))
  return box('stbl', stsd, stts!, stsc!, fullBoxOf('stsz', 0, 0, u32(0, 0)), stco!)
}

function movieExtends({ id }: Track): Uint8Array {
  return box('mvex', fullBoxOf('trex', 0, 0, u32(id, 1, 0, 0, 0)))
}
