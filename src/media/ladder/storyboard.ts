import { TILE_COLUMNS } from './arguments.ts'

export type Sheet = {
  /** reference of the picture with all tiles, relative to the text */
  readonly picture: string
  readonly tiles: number
  readonly everySeconds: number
  readonly durationSeconds: number
  /** pixels of one tile */
  readonly width: number
  readonly height: number
}

/** Say which part of a picture shows which stretch of a film, in WebVTT with media fragments (`#xywh=`). */
export function storyboardText(sheet: Sheet): string {
  const cues = Array.from({ length: sheet.tiles }, (_, i) => {
    const from = i * sheet.everySeconds
    const to = Math.min(from + sheet.everySeconds, sheet.durationSeconds)
    const x = (i % TILE_COLUMNS) * sheet.width
    const y = Math.floor(i / TILE_COLUMNS) * sheet.height
    return `${clock(from)} --> ${clock(to)}\n${sheet.picture}#xywh=${x},${y},${sheet.width},${sheet.height}\n`
  })
  return `WEBVTT\n\n${cues.join('\n')}`
}

/** `01:02:03.456` */
function clock(seconds: number): string {
  return new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23)
}

/**
 * Width and height of a picture in JPEG: they stand in its first frame header (ITU-T T.81 §B.2.2).
 *
 * @returns null when there is none
 */
export function sizeOfJpeg(octets: Uint8Array): { readonly width: number; readonly height: number } | null {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength)
  for (let at = 2; at + 9 <= octets.length && octets[at] === 0xff; at += 2 + view.getUint16(at + 2)) {
    const marker = octets[at + 1]!
    // SOF0 to SOF15 without DHT, JPG and DAC.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
  }
  return null
}
