import type { MediaFile, OctetRange, SegmentLayout } from '#media/movie/movie.ts'

/** How ranges of a film become reads. */
export type GatherLimits = {
  /** Ranges with up to so many octets between them are read as one: another track's samples lie between. */
  readonly gapOctets: number
  /** Of one read: what is held in memory for a segment at a time. */
  readonly readOctets: number
}

const usualLimits: GatherLimits = { gapOctets: 256 * 1024, readOctets: 4 * 1024 * 1024 }

/** A read, and the pieces that become known with it. */
type Read = { readonly range: OctetRange | undefined; readonly pieces: (Uint8Array | OctetRange)[] }

/**
 * The octets of a segment, in order; mostly one read, because its ranges lie close to each other.
 *
 * @throws {MediaFault} when the film cannot be read
 */
export async function* readSegment(
  file: MediaFile,
  { pieces }: SegmentLayout,
  limits: GatherLimits = usualLimits,
): AsyncGenerator<Uint8Array> {
  const begin = ({ range }: Read) => range && file.read(range)
  const reads = readsOf(pieces, limits)
  for (const read of reads) {
    const content = await begin(read)
    for (const piece of read.pieces) {
      if (piece instanceof Uint8Array) yield piece
      else if (content) {
        const from = piece.from - read.range!.from
        yield content.subarray(from, from + piece.octets)
      }
    }
  }
}

/** Join ranges into reads that cover them. */
function readsOf(pieces: SegmentLayout['pieces'], { gapOctets, readOctets }: GatherLimits): Read[] {
  const reads: Read[] = []
  for (const piece of pieces.flatMap((piece) =>
    piece instanceof Uint8Array ? [piece] : split(piece, readOctets),
  )) {
    const last = reads.at(-1)
    if (last && piece instanceof Uint8Array) {
      last.pieces.push(piece)
      continue
    }
    const range = piece instanceof Uint8Array ? undefined : piece
    const joined = last && range && join(last.range, range, gapOctets)
    if (joined && joined.octets <= readOctets)
      reads[reads.length - 1] = { range: joined, pieces: [...last.pieces, piece] }
    else reads.push({ range, pieces: [piece] })
  }
  return reads
}

function split(piece: Uint8Array | OctetRange, most: number): (Uint8Array | OctetRange)[] {
  if (piece instanceof Uint8Array) return [piece]
  const { from, octets } = piece
  const parts: OctetRange[] = []
  for (let at = 0; at < octets; at += most)
    parts.push({ from: from + at, octets: Math.min(most, octets - at) })
  return parts
}

function join(a: OctetRange | undefined, b: OctetRange, gapOctets: number): OctetRange | undefined {
  if (!a) return b
  const end = a.from + a.octets
  // Samples may stand in another order in the file than in time; what lies behind is read anew.
  if (b.from < end || b.from - end > gapOctets) return undefined
  return { from: a.from, octets: b.from + b.octets - a.from }
}
