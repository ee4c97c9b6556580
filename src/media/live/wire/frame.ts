/** What the header of a frame of sound says. */
export type Frame = {
  /** with its header */
  readonly octets: number
  /** of it, what a sample does not have */
  readonly headerOctets: number
  /** samples of sound */
  readonly ticks: number
  readonly codec: string
  readonly channels: number
  readonly sampleRate: number
  /** it is there, and no sample */
  readonly isLeftOut: boolean
  /** the sample entry of a stream of such frames (ISO 14496-12 §8.5.2) */
  entry(): Uint8Array
}

/** Read the frame at a place; null when none begins there, or its header has not come yet. */
export type ReadFrame = (octets: Buffer, at: number) => Frame | null
