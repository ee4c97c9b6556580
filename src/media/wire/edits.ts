import type { Edit } from './movie-box.ts'

/** What an edit list comes to: media times move by `offsetTicks`, and end at `endTicks` of presentation, if at all. */
export type Shift = { readonly offsetTicks: number; readonly endTicks: number | undefined }

/**
 * Reduce an edit list (ISO 14496-12 §8.6.6) to one shift: time before it begins, and where in the media it begins.
 *
 * @param movieTimescale of the durations in the list
 * @param timescale of the media
 * @returns a reason instead, when the list jumps within the media or plays it at another rate
 */
export function shiftOf(edits: readonly Edit[], movieTimescale: number, timescale: number): Shift | string {
  const inMedia = (movieTicks: number) => Math.round((movieTicks * timescale) / movieTimescale)
  const begin = edits.findIndex(({ mediaTicks }) => mediaTicks >= 0)
  const waited = edits.slice(0, begin === -1 ? edits.length : begin)
  const delay = inMedia(waited.reduce((sum, { movieTicks }) => sum + movieTicks, 0))
  const first = edits[begin]
  if (!first) return { offsetTicks: delay, endTicks: undefined }
  // Both clocks round, and writers round differently.
  const tolerance = Math.ceil(timescale / movieTimescale) + 1
  let end = first.mediaTicks
  for (const { mediaTicks, movieTicks, rate } of edits.slice(begin)) {
    if (mediaTicks < 0) break
    if (rate !== 1) return `has an edit list with a rate of ${rate}: export the film as it shall be shown`
    if (Math.abs(mediaTicks - end) > tolerance) {
      return `has an edit list that jumps from tick ${end} to ${mediaTicks}: export the film as it shall be shown`
    }
    end = mediaTicks + inMedia(movieTicks)
  }
  const isOpen = end === first.mediaTicks
  return {
    offsetTicks: delay - first.mediaTicks,
    endTicks: isOpen ? undefined : delay + end - first.mediaTicks + tolerance,
  }
}
