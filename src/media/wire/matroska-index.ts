import { elementsIn, unsigned } from './ebml.ts'

/** Identifiers of RFC 9559 §5. */
export const ids = {
  ebml: 0x1a45dfa3,
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cueTrackPositions: 0xb7,
  cueTrack: 0xf7,
  cueClusterPosition: 0xf1,
  cueRelativePosition: 0xf0,
  cueDuration: 0xb2,
  tracks: 0x1654ae6b,
  cluster: 0x1f43b675,
} as const

/** Whether a file begins with EBML's identifier, as Matroska and WebM do (RFC 9559 §4.1). */
export function isMatroska(head: Uint8Array): boolean {
  return unsigned(head.subarray(0, 4)) === ids.ebml
}

/** Where a track can be entered (RFC 9559 §5.1.5): its time in seconds, and the cluster in the file. */
export type Cue = {
  readonly track: number
  readonly seconds: number
  readonly cluster: number
  /** offset of the block in the data of the cluster; undefined when it is not said */
  readonly place: number | undefined
  /** 0 when it is not said */
  readonly durationSeconds: number
}

/** Where SeekHead (RFC 9559 §5.1.1) says that an element is, from the segment's data on. */
export function seekPosition(seekHead: Uint8Array, wanted: number): number | undefined {
  for (const { element, data } of elementsIn(seekHead, 0)) {
    if (element.id !== ids.seek) continue
    const parts = elementsIn(data, 0)
    const id = parts.find((part) => part.element.id === ids.seekId)
    const position = parts.find((part) => part.element.id === ids.seekPosition)
    if (id && position && unsigned(id.data) === wanted) return unsigned(position.data)
  }
  return undefined
}

/** Nanoseconds of a tick, from Info (RFC 9559 §5.1.2.9); a million unless said. */
export function timestampScale(info: Uint8Array): number {
  const scale = elementsIn(info, 0).find(({ element }) => element.id === ids.timestampScale)
  return (scale && unsigned(scale.data)) || 1_000_000
}

/**
 * The cues of all tracks, ascending by time.
 *
 * @param segmentAt offset of the segment's data, which positions count from
 */
export function readCues(cues: Uint8Array, segmentAt: number, scale: number): Cue[] {
  const found: Cue[] = []
  for (const { element, data } of elementsIn(cues, 0)) {
    if (element.id !== ids.cuePoint) continue
    const parts = elementsIn(data, 0)
    const time = parts.find((part) => part.element.id === ids.cueTime)
    if (!time) continue
    const seconds = (unsigned(time.data) * scale) / 1e9
    for (const { element, data } of parts) {
      if (element.id !== ids.cueTrackPositions) continue
      const places = elementsIn(data, 0)
      const track = places.find((place) => place.element.id === ids.cueTrack)
      const cluster = places.find((place) => place.element.id === ids.cueClusterPosition)
      const relative = places.find((place) => place.element.id === ids.cueRelativePosition)
      const duration = places.find((place) => place.element.id === ids.cueDuration)
      if (track && cluster) {
        found.push({
          track: unsigned(track.data),
          seconds,
          cluster: segmentAt + unsigned(cluster.data),
          place: relative && unsigned(relative.data),
          durationSeconds: duration ? (unsigned(duration.data) * scale) / 1e9 : 0,
        })
      }
    }
  }
  return found.sort((a, b) => a.seconds - b.seconds)
}
