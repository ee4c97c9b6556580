import type { EncodedPacket, InputTrack } from 'mediabunny'
import { boxesIn } from '#media/wire/bmff.ts'
import { fullBoxOf, u32 } from '#media/wire/bmff-write.ts'
import { dolbyConfig } from '#media/wire/codec-dolby.ts'
import type { Colour } from '#media/wire/codec-video.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { canonicalLanguage } from '#media/wire/language.ts'
import { type DecoderConfig, preSkip, sampleEntryOf } from '#media/wire/matroska-entry.ts'
import type { Cue } from '#media/wire/matroska-index.ts'
import { type SampleEntry, sampleEntries } from '#media/wire/sample-entry.ts'
import { createSampleList } from '#media/wire/sample-list.ts'
import { octetsOf, type Samples } from '#media/wire/samples.ts'
import { type PacketReader, readMatroska } from './matroska-file.ts'
import { readIndex } from './matroska-index.ts'
import { textTracksOf } from './matroska-text-track.ts'
import type { MediaFile, Movie, RefusedTrack, Track } from './movie.ts'

const videoTimescale = 90_000

/** A file without cues has to be read from end to end, thrice: for key frames, and to count what is between them. */
const mostWithoutCues = 6 * 1024 ** 3

const mostSeconds = 7 * 86_400
/** Packets whose mean tells the rates of a track. */
const statPackets = 100
/** Pictures that are looked at for their order, and those at the end that may not be in it yet. */
const reorderPackets = 96
const reorderTail = 17

const upright = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)

/**
 * Read what a WebM or Matroska file has.
 *
 * Its index names key frames and not samples, so each of a track's samples here is a stretch from one key frame to the next:
 * cuts and times are right, octets are estimates until a segment is laid.
 *
 * @throws {MediaFault} 422 when nothing in it can be offered
 */
export async function openMatroska(file: MediaFile, indexOctets: number): Promise<Movie> {
  const index = await readIndex(file, indexOctets)
  const { cues } = index
  const most = cues.length > 0 ? 4 * indexOctets : mostWithoutCues
  return readMatroska(file, most, async (open) => {
    const shown = open.tracks.filter((track) => track.type === 'video' || track.type === 'audio')
    const lead = shown.find(({ type }) => type === 'video') ?? shown[0]
    if (!lead) throw new MediaFault('The film has neither video nor audio')
    const stretches = await stretchesOf(lead, open.packets(lead), cues, file.octets)
    const isCounted = cues.every(({ track }) => track !== lead.id)
    const found = await Promise.all(
      shown.map(async (track) => {
        const reader = open.packets(track)
        const own = track === lead || !isCounted ? stretches : await countPackets(reader, stretches)
        return trackOf(track, reader, { stretches: own, isKnown: isCounted || track === lead })
      }),
    )
    const tracks = found.filter((track) => 'samples' in track)
    const refused = found.filter((track) => 'reason' in track)
    if (tracks.length === 0) throw new MediaFault(refused.map(({ reason }) => reason).join('; '))
    const durationSeconds = Math.max(...tracks.map((track) => track.durationSeconds))
    const { octets, tag } = file
    const all = [...tracks, ...textTracksOf(index)]
    return { container: 'matroska', tracks: all, refused, durationSeconds, octets, tag }
  })
}

/** From one key frame of the leading track to the next, and the octets of the file that lie between. */
type Stretch = { readonly seconds: number; readonly endSeconds: number; readonly octets: number }

async function stretchesOf(
  lead: InputTrack,
  reader: PacketReader,
  cues: readonly Cue[],
  fileOctets: number,
): Promise<Stretch[]> {
  const end = await lead.computeDuration()
  if (!(end > 0 && end <= mostSeconds)) {
    throw new MediaFault(`The film lasts ${end} seconds; ${mostSeconds} (a week) is the limit`)
  }
  const own = cues.filter(({ track }) => track === lead.id)
  if (own.length === 0) return stretchesByPackets(lead, reader, end)
  const starts = lead.type === 'audio' ? everySecond(end) : ownTimes(own)
  const placeAt = (seconds: number) => interpolate(own, seconds, { seconds: end, cluster: fileOctets })
  return starts.map((seconds, i) => {
    const endSeconds = Math.max(seconds, starts[i + 1] ?? end)
    return { seconds, endSeconds, octets: Math.max(0, placeAt(endSeconds) - placeAt(seconds)) }
  })
}

/** What has no cues is read from end to end: key frames are found, and octets counted. */
async function stretchesByPackets(lead: InputTrack, reader: PacketReader, end: number): Promise<Stretch[]> {
  const starts = lead.type === 'audio' ? everySecond(end) : await keyTimes(reader)
  const stretches = starts.map((seconds, i) => {
    return { seconds, endSeconds: Math.max(seconds, starts[i + 1] ?? end), octets: 0 }
  })
  return countPackets(reader, stretches)
}

/** The octets of a track in each of these stretches. */
async function countPackets(reader: PacketReader, stretches: readonly Stretch[]): Promise<Stretch[]> {
  const octets = stretches.map(() => 0)
  let at = 0
  for await (const packet of reader.packets(undefined, undefined, { metadataOnly: true })) {
    while (at + 1 < stretches.length && packet.timestamp >= stretches[at + 1]!.seconds) at++
    octets[at]! += packet.byteLength
  }
  return stretches.map((stretch, i) => ({ ...stretch, octets: octets[i]! }))
}

function everySecond(end: number): number[] {
  return Array.from({ length: Math.ceil(end) }, (_, second) => second)
}

function ownTimes(cues: readonly Cue[]): number[] {
  return [...new Set(cues.map(({ seconds }) => seconds))]
}

async function keyTimes(reader: PacketReader): Promise<number[]> {
  const times: number[] = []
  let packet = await reader.getFirstPacket({ metadataOnly: true })
  if (packet?.type === 'delta') packet = await reader.getNextKeyPacket(packet, { metadataOnly: true })
  for (; packet; packet = await reader.getNextKeyPacket(packet, { metadataOnly: true }))
    times.push(packet.timestamp)
  return times
}

/** Where in the file a time is: clusters lie at cues, and between them it grows evenly. */
function interpolate(
  places: readonly Pick<Cue, 'seconds' | 'cluster'>[],
  seconds: number,
  end: Pick<Cue, 'seconds' | 'cluster'>,
): number {
  const after = places.find((place) => place.seconds > seconds) ?? end
  const before = places.findLast((place) => place.seconds <= seconds && place.cluster < after.cluster)
  if (!before || after.seconds <= before.seconds) return after.cluster
  const share = (seconds - before.seconds) / (after.seconds - before.seconds)
  return before.cluster + share * (after.cluster - before.cluster)
}

type Lead = {
  readonly stretches: readonly Stretch[]
  /** their octets are those of this track, or of the file that it leads */
  readonly isKnown: boolean
}

async function trackOf(
  track: InputTrack,
  reader: PacketReader,
  { stretches, isKnown }: Lead,
): Promise<Track | RefusedTrack> {
  const codec = await track.getCodec()
  const config = await decoderConfig(track)
  const first = await reader.getFirstPacket()
  const dolby = first && (codec === 'ac3' || codec === 'eac3') ? dolbyConfig(codec, first.data) : undefined
  const written = codec && config && sampleEntryOf(codec, config, dolby)
  const kind = track.type === 'video' ? 'video' : 'audio'
  const id = track.id
  if (!first) return { id, reason: `Track ${id} has no packets` }
  if (!written) {
    const name = codec ?? (await track.getInternalCodecId())
    return { id, reason: `Track ${id} has ${String(name)}, which has no place in CMAF: transcode it` }
  }
  const [entry] = entriesOf(written, kind)
  const timescale = kind === 'video' ? videoTimescale : entry!.sampleRate
  const stats = await track.computePacketStats(statPackets, { metadataOnly: true })
  const delay = kind === 'video' ? await decodeDelay(reader, first, timescale) : primingOf(codec!, config!)
  const durationSeconds = await track.computeDuration()
  // Beside the octets of a file between its key frames, which are all of it, a guess is enough.
  const octetsASecond = isKnown ? undefined : stats.averageBitrate / 8
  const packetsASecond = stats.averagePacketRate
  const samples = stretchSamples(stretches, { timescale, delay, octetsASecond, packetsASecond })
  return {
    id,
    kind,
    codec: entry!.codec,
    timescale,
    language: canonicalLanguage(await track.getLanguageCode()) ?? 'und',
    name: (await track.getName()) ?? '',
    width: entry!.width,
    height: entry!.height,
    frameRate: kind === 'video' ? Math.round(stats.averagePacketRate * 1000) / 1000 : 0,
    channels: entry!.channels,
    sampleRate: entry!.sampleRate,
    octets: octetsOf(samples, 0, samples.count),
    durationSeconds,
    entries: [entry!.octets],
    matrix: upright,
    offsetTicks: -delay,
    samples,
  }
}

/** Read as the entries of MP4 are: one way to a codec's name and to what is refused. */
function entriesOf(written: Uint8Array, kind: 'video' | 'audio'): readonly SampleEntry[] {
  const [stsd] = boxesIn(fullBoxOf('stsd', 0, 0, u32(1), written), 0)
  const entries = sampleEntries(stsd!, kind)
  if (typeof entries === 'string') throw new MediaFault(entries)
  return entries
}

async function decoderConfig(track: InputTrack): Promise<DecoderConfig | undefined> {
  const config = track.isVideoTrack() || track.isAudioTrack() ? await track.getDecoderConfig() : null
  if (!config) return undefined
  const video = 'codedWidth' in config ? config : undefined
  const audio = 'sampleRate' in config ? config : undefined
  return {
    codec: config.codec,
    description: config.description === undefined ? undefined : octetsIn(config.description),
    width: video?.codedWidth ?? 0,
    height: video?.codedHeight ?? 0,
    channels: audio?.numberOfChannels ?? 0,
    sampleRate: audio?.sampleRate ?? 0,
    colour: colourOf(video?.colorSpace),
  }
}

/** Numbers of ISO 23091-2 by the names of WebCodecs. */
const PRIMARIES = new Map([
  ['bt709', 1],
  ['bt470bg', 5],
  ['smpte170m', 6],
  ['bt2020', 9],
  ['smpte432', 12],
])
const TRANSFERS = new Map([
  ['bt709', 1],
  ['smpte170m', 6],
  ['linear', 8],
  ['iec61966-2-1', 13],
  ['pq', 16],
  ['hlg', 18],
])
const MATRICES = new Map([
  ['rgb', 0],
  ['bt709', 1],
  ['bt470bg', 5],
  ['smpte170m', 6],
  ['bt2020-ncl', 9],
])

/** Colours that are said as a whole; half of them says nothing. */
function colourOf(said: VideoColorSpaceInit | undefined): Colour | undefined {
  const primaries = PRIMARIES.get(said?.primaries ?? '')
  const transfer = TRANSFERS.get(said?.transfer ?? '')
  const matrix = MATRICES.get(said?.matrix ?? '')
  if (primaries === undefined || transfer === undefined || matrix === undefined) return undefined
  return { primaries, transfer, matrix, full: said?.fullRange === true ? 1 : 0 }
}

function octetsIn(description: ArrayBufferView | ArrayBufferLike): Uint8Array {
  if (!ArrayBuffer.isView(description)) return new Uint8Array(description)
  return new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
}

/**
 * Ticks from decoding to showing: Matroska has no decode times, they are the times of showing in ascending order, and
 * a picture that is decoded early must not be shown before.
 */
async function decodeDelay(reader: PacketReader, first: EncodedPacket, timescale: number): Promise<number> {
  const times: number[] = []
  for await (const { timestamp } of reader.packets(first, undefined, { metadataOnly: true })) {
    if (times.push(timestamp) === reorderPackets) break
  }
  const shown = times.toSorted((a, b) => a - b)
  // Behind the last ones may come earlier times that were not read.
  const late = times.slice(0, -reorderTail).map((time, i) => shown[i]! - time)
  return Math.round(Math.max(0, ...late) * timescale)
}

/** Sound that Opus decodes before there is any; other codecs' writers leave it out of the times. */
function primingOf(codec: string, { description }: DecoderConfig): number {
  return codec === 'opus' && description ? preSkip(description) : 0
}

type Stretching = {
  readonly timescale: number
  readonly delay: number
  /** Undefined where the octets of the file between key frames are the track's, as for video. */
  readonly octetsASecond: number | undefined
  readonly packetsASecond: number
}

/** What a fragment adds to its samples: its head, and a line of its table for each. */
const FRAGMENT_OCTETS = 160
const SAMPLE_OCTETS = 16

function stretchSamples(
  stretches: readonly Stretch[],
  { timescale, delay, octetsASecond, packetsASecond }: Stretching,
): Samples {
  const list = createSampleList(stretches.length)
  list.chunk(0, 0)
  stretches.forEach(({ seconds, endSeconds, octets }, i) => {
    const begin = i === 0 ? 0 : seconds
    const ticks = Math.round(endSeconds * timescale) - Math.round(begin * timescale)
    const estimate = octetsASecond === undefined ? octets : octetsASecond * (endSeconds - seconds)
    const heads = FRAGMENT_OCTETS + SAMPLE_OCTETS * packetsASecond * (endSeconds - seconds)
    list.add(Math.ceil(estimate + heads), ticks, delay + Math.round((seconds - begin) * timescale), true)
  })
  return list.finish()
}
