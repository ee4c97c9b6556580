/** One picture, or one frame of sound. */
export type Sample = {
  /** decode time in ticks of its track */
  readonly at: number
  readonly ticks: number
  /** composition time less decode time, in ticks; may be negative */
  readonly offset: number
  /** decoding can begin here */
  readonly isKey: boolean
  readonly octets: Uint8Array
}
