import { sayCmcd } from './cmcd.js'
import { rate } from './graph.js'

// What plays a film: each driver gives the page the same few questions and orders.
// A choice is { id, name }; ids are text, and -1 stands for "automatic" or "off".

/** Names of choices that are told apart: a second one of the same name gets its number. */
function named(list, nameOf) {
  const seen = new Map()
  return list.map((item, i) => {
    const name = nameOf(item) || `${i + 1}`
    const count = (seen.get(name) || 0) + 1
    seen.set(name, count)
    return { id: `${i}`, name: count > 1 ? `${name} (${count})` : name }
  })
}

const quality = (height, bits) => [height ? `${height}p` : 'Sound', bits ? rate(bits) : ''].join(' · ')
const language = (code) => {
  try {
    return code && code !== 'und' ? new Intl.DisplayNames([], { type: 'language' }).of(code) : ''
  } catch {
    return code
  }
}

/** HLS by hls.js. */
export function playByHls(video, url, { session, onChange, onFailure }) {
  const hls = new Hls({
    enableWorker: false,
    cmcd: { sessionId: session, useHeaders: true },
    liveDurationInfinity: true,
    maxLiveSyncPlaybackRate: 1.5,
  })
  const { Events } = Hls
  for (const event of [
    Events.MANIFEST_PARSED,
    Events.LEVEL_SWITCHED,
    Events.AUDIO_TRACKS_UPDATED,
    Events.AUDIO_TRACK_SWITCHED,
    Events.SUBTITLE_TRACKS_UPDATED,
    Events.SUBTITLE_TRACK_SWITCH,
  ])
    hls.on(event, onChange)
  let mended = false
  hls.on(Events.ERROR, (_event, { fatal, type, details, reason, response }) => {
    if (!fatal) return
    if (type === Hls.ErrorTypes.MEDIA_ERROR && !mended) {
      mended = true
      hls.recoverMediaError()
    } else
      onFailure({
        why: [details, response?.code && `status ${response.code}`, reason].filter(Boolean).join(', '),
        status: response?.code,
        isMedia: type === Hls.ErrorTypes.MEDIA_ERROR,
      })
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return {
    qualities: () =>
      hls.levels.map(({ height, bitrate }, i) => ({ id: `${i}`, name: quality(height, bitrate) })),
    isAutomatic: () => hls.autoLevelEnabled,
    quality: () => `${hls.currentLevel}`,
    setQuality: (id) => (hls.nextLevel = Number(id)),
    sounds: () => named(hls.audioTracks, ({ name, lang }) => name || language(lang)),
    sound: () => `${hls.audioTrack}`,
    setSound: (id) => (hls.audioTrack = Number(id)),
    texts: () => named(hls.subtitleTracks, ({ name, lang }) => name || language(lang)),
    text: () => (hls.subtitleDisplay ? `${hls.subtitleTrack}` : '-1'),
    setText(id) {
      hls.subtitleDisplay = id !== '-1'
      hls.subtitleTrack = Number(id)
    },
    live() {
      const details = hls.latestLevelDetails
      if (!details?.live || hls.liveSyncPosition === null) return null
      const { fragmentStart: from, edge: to } = details
      return { from, to, behind: hls.latency || to - video.currentTime, wanted: hls.targetLatency ?? 0 }
    },
    close: () => hls.destroy(),
  }
}

/** DASH by dash.js. */
export function playByDash(video, url, { session, onChange, onFailure }) {
  const player = dashjs.MediaPlayer().create()
  const { events } = dashjs.MediaPlayer
  player.updateSettings({
    debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
    // Kilobits a second, while nothing is known of the line: on one of 1 Mb/s there is a picture soon.
    streaming: { text: { defaultEnabled: false }, abr: { initialBitrate: { video: 500 } } },
  })
  const hush = sayCmcd(player, video, session)
  player.initialize(video, url, false)
  // Clocks of others are not asked: the page talks to its own host only.
  player.clearDefaultUTCTimingSources()
  for (const event of [
    events.STREAM_INITIALIZED,
    events.QUALITY_CHANGE_RENDERED,
    events.TRACK_CHANGE_RENDERED,
  ])
    player.on(event, onChange)
  player.on(events.ERROR, ({ error }) => {
    const why = error?.message || `${error}`
    const status = error?.data?.response?.status
    onFailure({ why, status, isMedia: /MEDIA_ERR|mediasource/i.test(why) })
  })
  let automatic = true
  const list = (type) => (player.isReady() && player.getActiveStream() ? player.getTracksFor(type) : [])
  const representations = () => (player.getActiveStream() ? player.getRepresentationsByType('video') : [])
  const nameOfTrack = ({ labels, lang }) => labels?.[0]?.text || language(lang)
  const at = (type) =>
    `${list(type).indexOf(player.getActiveStream() ? player.getCurrentTrackFor(type) : null)}`
  return {
    qualities: () =>
      representations().map(({ id, height, bandwidth, bitrateInKbit }) => ({
        id: `${id}`,
        name: quality(height, bandwidth || bitrateInKbit * 1000),
      })),
    isAutomatic: () => automatic,
    quality: () =>
      `${(player.getActiveStream() && player.getCurrentRepresentationForType('video')?.id) ?? -1}`,
    setQuality(id) {
      automatic = id === '-1'
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: automatic } } } })
      if (!automatic) player.setRepresentationForTypeById('video', id)
    },
    sounds: () => named(list('audio'), nameOfTrack),
    sound: () => at('audio'),
    setSound: (id) => player.setCurrentTrack(list('audio')[id]),
    texts: () => named(list('text'), nameOfTrack),
    text: () => (player.isTextEnabled() ? `${player.getCurrentTextTrackIndex()}` : '-1'),
    setText(id) {
      player.enableText(id !== '-1')
      player.setTextTrack(Number(id))
    },
    live() {
      if (!player.isReady() || !player.isDynamic()) return null
      const { start: from, end: to } = player.getDvrWindow() ?? {}
      const behind = player.getCurrentLiveLatency()
      return to > 0 && behind >= 0 ? { from, to, behind, wanted: player.getTargetLiveDelay() } : null
    },
    close() {
      hush()
      player.destroy()
    },
  }
}

/** Browsers do not say how far behind they want to be. */
const NATIVE_BEHIND_S = 6

/** What the browser plays by itself: HLS where it can, or the file as it is. */
export function playByBrowser(video, url, { onChange, onFailure }) {
  const failed = () =>
    onFailure({
      why: video.error?.message || 'it cannot play this',
      isMedia: video.error?.code === MediaError.MEDIA_ERR_DECODE,
    })
  const texts = () => [...video.textTracks].filter(({ kind }) => kind === 'subtitles' || kind === 'captions')
  const sounds = () => [...(video.audioTracks || [])]
  video.addEventListener('error', failed)
  video.addEventListener('resize', onChange)
  video.textTracks.addEventListener('addtrack', onChange)
  video.src = url
  return {
    qualities: () => [],
    isAutomatic: () => true,
    quality: () => '-1',
    setQuality() {},
    sounds: () => named(sounds(), ({ label, language: code }) => label || language(code)),
    sound: () => `${sounds().findIndex(({ enabled }) => enabled)}`,
    setSound(id) {
      for (const [i, track] of sounds().entries()) track.enabled = i === Number(id)
    },
    texts: () => named(texts(), ({ label, language: code }) => label || language(code)),
    text: () => `${texts().findIndex(({ mode }) => mode === 'showing')}`,
    setText(id) {
      for (const [i, track] of texts().entries()) track.mode = i === Number(id) ? 'showing' : 'disabled'
    },
    live() {
      const { duration, seekable, currentTime } = video
      if (duration !== Infinity || seekable.length === 0) return null
      const to = seekable.end(seekable.length - 1)
      return { from: seekable.start(0), to, behind: to - currentTime, wanted: NATIVE_BEHIND_S }
    },
    close() {
      video.removeEventListener('error', failed)
      video.removeEventListener('resize', onChange)
      video.textTracks.removeEventListener('addtrack', onChange)
    },
  }
}
