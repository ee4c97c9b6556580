// What is done about a playback that has failed, and what whoever watches is told.

const LONGEST_MS = 15_000
/** Of a film; a stream that has not begun is waited for as long as its page is open, for some hours. */
const LIMIT_FILM = 8
const LIMIT_LIVE = 1000
/** Who has played for so long has not failed to start. */
const STEADY_MS = 10_000

/** What can be done about a fault: { words, again } */
export function advise({ why, status, isMedia }, isLive) {
  if (isMedia)
    return {
      words: `This browser cannot show the picture (${why}). Choose another way to play.`,
      again: true,
    }
  if (status === 401 || status === 403)
    return {
      words: `You are not let in (status ${status}). The link may be old: open this page anew from where you found it.`,
      again: false,
    }
  if (status === 404 && isLive) return { words: 'Nobody sends this stream at the moment.', again: true }
  if (status === 404 || status === 410)
    return { words: `The film is not here any more (status ${status}).`, again: false }
  if (status === 422)
    return {
      words: 'This film cannot be cut into segments. Choose “The file as it is” to play.',
      again: false,
    }
  return { words: `The server does not answer (${why}).`, again: true }
}

/** Try again with growing pauses. */
export function createMender({ isLive, tell, again }) {
  let attempts = 0
  let timer = 0
  let startedAt = 0
  return {
    failed(fault) {
      clearTimeout(timer)
      if (startedAt !== 0 && performance.now() - startedAt > STEADY_MS) attempts = 0
      startedAt = 0
      const { words, again: isWorth } = advise(fault, isLive)
      const limit = fault.isMedia ? 2 : isLive ? LIMIT_LIVE : LIMIT_FILM
      if (!isWorth || attempts >= limit)
        return tell(isWorth ? `${words} Load the page again to try once more.` : words)
      const pauseMs = Math.min(LONGEST_MS, 1000 * 2 ** attempts++)
      tell(`${words} Trying again in ${pauseMs / 1000} s.`)
      timer = setTimeout(again, pauseMs)
    },
    /** The picture moves. */
    plays() {
      startedAt ||= performance.now()
    },
    /** Somebody has chosen another way to play. */
    forget() {
      clearTimeout(timer)
      attempts = 0
      startedAt = 0
    },
  }
}
