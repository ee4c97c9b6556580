// What is live: how far behind the encoder the picture is, how far back one can go, and staying at the edge.

/** A player that is so much further behind than it wants leaps; before, it plays a little faster by itself. */
const LEAP_S = 5
const LEAP_EVERY_MS = 3000
/** Who is so close to where players want to be is at the edge. */
const EDGE_CLOSE_S = 2

/** Keep the picture at the edge of what is live, as long as nobody goes back or pauses. */
export function createEdge(video, { button, figure, rate }) {
  let follows = true
  let isLive = false
  let leaptAt = 0
  let placeBefore = 0
  /** { from, to, behind, wanted } in the time of the picture; null when nothing is live */
  let span = null

  const place = () => span.to - span.wanted
  function leap() {
    if (span === null) return
    leaptAt = performance.now()
    placeBefore = video.currentTime = place()
  }
  /** By the browser's own controls. */
  video.addEventListener('seeking', () => {
    if (span === null) return
    if (video.currentTime >= place() - EDGE_CLOSE_S) follows = true
    else if (video.currentTime < placeBefore - EDGE_CLOSE_S) follows = false
  })
  video.addEventListener('pause', () => {
    if (span !== null && !video.seeking) follows = false
  })
  video.addEventListener('play', () => follows && leap())

  return {
    /** what one can go back and forth in; null: all of the film */
    span: () => span,
    isAtEdge: () => span !== null && follows && span.behind - span.wanted < LEAP_S,
    /** Somebody wants to see this moment. */
    goTo(seconds) {
      if (span !== null) follows = seconds >= place() - EDGE_CLOSE_S
      video.currentTime = seconds
    },
    goLive() {
      follows = true
      leap()
      video.play().catch(() => {})
    },
    /** A film that is played anew, or another way. */
    forget() {
      follows = true
      span = null
    },
    /** @param said what the driver says now */
    look(said) {
      span = said
      if (isLive !== (said !== null)) {
        isLive = said !== null
        button.hidden = figure.parentElement.hidden = !isLive
        // What plays faster to keep up, and what plays slower on purpose, would pull at each other.
        rate.parentElement.hidden = isLive
      }
      if (said === null) return
      placeBefore = video.currentTime
      const now = performance.now()
      const isFar = said.behind - said.wanted > LEAP_S
      if (follows && isFar && !video.paused && !video.seeking && now - leaptAt > LEAP_EVERY_MS) leap()
      const isAt = this.isAtEdge()
      const words = isAt ? 'At live' : 'Go to live'
      if (button.textContent !== words) button.textContent = words
      button.classList.toggle('at', isAt)
      const behind = `${said.behind.toFixed(1)} s`
      if (figure.textContent !== behind) figure.textContent = behind
    },
  }
}
