// What dash.js says of itself with each request (CTA-5004): its own way of saying it mixes up renditions (dash.js 5.2.1).

const OBJECTS = { video: 'v', audio: 'a', text: 'c' }

/** To the next hundred, as the specification wants times and rates. */
const hundreds = (value) => Math.round(value / 100) * 100

/** Say with each request of a player who asks, what for, and what it has at hand. */
export function sayCmcd(player, video, session) {
  let hasStarved = false
  const starve = () => (hasStarved ||= video.played.length > 0 && !video.seeking)
  video.addEventListener('waiting', starve)
  player.addRequestInterceptor((request) => {
    const {
      type,
      mediaType,
      url = '',
      index,
      startTime,
      duration,
      bandwidth,
    } = request.customData?.request ?? {}
    const isSegment = type === 'MediaSegment'
    const said = { object: [], request: [], session: ['sf=d', `sid="${session}"`, 'st=v'], status: [] }
    said.object.push(
      `ot=${type === 'MPD' ? 'm' : type === 'InitializationSegment' ? 'i' : (OBJECTS[mediaType] ?? 'o')}`,
    )
    if (bandwidth) said.object.push(`br=${Math.round(bandwidth / 1000)}`)
    if (isSegment && duration) said.object.push(`d=${Math.round(duration * 1000)}`)
    const ahead = isSegment ? player.getBufferLength(mediaType) : Number.NaN
    if (ahead >= 0) {
      said.request.push(`bl=${hundreds(ahead * 1000)}`)
      said.request.push(`dl=${hundreds((ahead * 1000) / (video.playbackRate || 1))}`)
    }
    const throughput = type === 'MPD' ? Number.NaN : player.getAverageThroughput(mediaType)
    if (throughput > 0) said.request.push(`mtp=${hundreds(throughput)}`)
    if (isSegment && startTime + duration < video.duration - 0.1) {
      const next = url.slice(url.lastIndexOf('/') + 1).replace(`-${index}-`, `-${index + 1}-`)
      said.request.push(`nor="${encodeURIComponent(next)}"`)
    }
    if (video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) said.request.push('su')
    if (video.playbackRate !== 1) said.session.push(`pr=${video.playbackRate}`)
    if (hasStarved) said.status.push('bs')
    hasStarved = false
    for (const [name, words] of Object.entries(said))
      if (words.length > 0) request.headers[`CMCD-${name[0].toUpperCase()}${name.slice(1)}`] = words.join(',')
    return Promise.resolve(request)
  })
  return () => video.removeEventListener('waiting', starve)
}
