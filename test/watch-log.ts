/**
 * Runs in each page before its own scripts: notes what its <video> goes through, for tests to read as `watched`.
 * Levels are seconds ahead of the picture, four a second while it plays.
 */
export const WATCH: string = `
const watched = globalThis.watched = { stalls: 0, levels: [], heights: [], seeks: [] }
watched.ahead = ({ buffered, currentTime: at }) => {
  for (let i = 0; i < buffered.length; i++)
    if (buffered.start(i) <= at && buffered.end(i) >= at) return buffered.end(i) - at
  return 0
}
let isStalled = false
let soughtAt = 0
for (const type of ['waiting', 'playing', 'resize', 'seeking', 'seeked']) addEventListener(type, ({ target: video }) => {
  if (!(video instanceof HTMLVideoElement)) return
  if (type === 'resize') watched.heights.push(video.videoHeight)
  if (type === 'seeking') soughtAt ||= performance.now()
  if (type === 'playing') {
    if (soughtAt > 0) watched.seeks.push(Math.round(performance.now() - soughtAt))
    soughtAt = 0
  }
  // No stall: nobody saw a picture yet, or has just asked for another place.
  // With pictures at hand it is the machine that is behind, not the wire.
  const isDry = watched.ahead(video) < 0.3
  if (type === 'waiting' && isDry && video.played.length > 0 && !video.seeking && soughtAt === 0) watched.stalls++
}, true)
setInterval(() => {
  const video = document.querySelector('video')
  if (video === null || video.paused || video.ended) return
  watched.levels.push(Math.round(watched.ahead(video) * 10) / 10)
}, 250)
`

/** What `WATCH` noted. */
export type Watched = {
  readonly stalls: number
  readonly levels: readonly number[]
  /** each time the size of the picture changed */
  readonly heights: readonly number[]
  /** milliseconds from a jump to the picture there */
  readonly seeks: readonly number[]
}
