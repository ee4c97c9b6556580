import { box, fullBoxOf, u16, u32, zeros } from '#media/wire/bmff-write.ts'
import type { InputTrack } from './input.ts'

/**
 * Write what stands before the segments of tracks: `ftyp` and `moov` without samples (ISO 23000-19 §7.3.1).
 *
 * @param tracks with their ids; one for CMAF, several for a film of all
 */
export function writeInit(tracks: readonly { readonly id: number; readonly track: InputTrack }[]): Buffer {
  return Buffer.concat([
    box('ftyp', 'iso6', u32(0), 'iso6', 'cmfc', 'mp41'),
    box(
      'moov',
      fullBoxOf(
        'mvhd',
        0,
        0,
        u32(0, 0, 1000, 0, 0x10000),
        u16(0x100, 0),
        u32(0, 0),
        MATRIX,
        zeros(24),
        u32(tracks.length + 1),
      ),
      ...tracks.map(trak),
      box('mvex', ...tracks.map(({ id }) => fullBoxOf('trex', 0, 0, u32(id, 1, 0, 0, 0)))),
    ),
  ])
}

const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

function trak({ id, track }: { readonly id: number; readonly track: InputTrack }): Uint8Array {
  const isVideo = track.kind === 'video'
  return box(
    'trak',
    fullBoxOf(
      'tkhd',
      0,
      7,
      u32(0, 0, id, 0, 0, 0, 0),
      u16(0, 0, isVideo ? 0 : 0x100, 0),
      MATRIX,
      u32(track.width * 0x10000, track.height * 0x10000),
    ),
    box(
      'mdia',
      fullBoxOf('mdhd', 0, 0, u32(0, 0, track.timescale, 0), u16(packedLanguage(track.language), 0)),
      fullBoxOf('hdlr', 0, 0, u32(0), isVideo ? 'vide' : 'soun', zeros(12), isVideo ? 'Video\0' : 'Sound\0'),
      box(
        'minf',
        isVideo ? fullBoxOf('vmhd', 0, 1, zeros(8)) : fullBoxOf('smhd', 0, 0, zeros(4)),
        box('dinf', fullBoxOf('dref', 0, 0, u32(1), fullBoxOf('url ', 0, 1))),
        box(
          'stbl',
          fullBoxOf('stsd', 0, 0, u32(1), track.entry),
          fullBoxOf('stts', 0, 0, u32(0)),
          fullBoxOf('stsc', 0, 0, u32(0)),
          fullBoxOf('stsz', 0, 0, u32(0, 0)),
          fullBoxOf('stco', 0, 0, u32(0)),
        ),
      ),
    ),
  )
}

/** Three letters of five bits (ISO 14496-12 §8.4.2); a language of two letters is told by the playlist. */
function packedLanguage(language: string): number {
  const letters = /^[a-z]{3}$/.test(language) ? language : 'und'
  return [...letters].reduce((packed, letter) => (packed << 5) | (letter.charCodeAt(0) - 0x60), 0)
}
