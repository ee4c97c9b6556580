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
  const hls = new Hls({ enableWorker: false, cmcd: { sessionId: session, useHeaders: true } })
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
      onFailure(
        `${details}${response?.code ? `, status ${response.code}` : ''}${reason ? `: ${reason}` : ''}`,
      )
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
    close: () => hls.destroy(),
  }
}

/** DASH by dash.js. */
export function playByDash(video, url, { session, onChange, onFailure }) {
  const player = dashjs.MediaPlayer().create()
  const { events } = dashjs.MediaPlayer
  player.updateSettings({
    debug: { logLevel: dashjs.Debug.LOG_LEVEL_NONE },
    streaming: { text: { defaultEnabled: false } },
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
  player.on(events.ERROR, ({ error }) => onFailure(error?.message || `${error}`))
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
    close() {
      hush()
      player.destroy()
    },
  }
}

/** What the browser plays by itself: HLS where it can, or the file as it is. */
export function playByBrowser(video, url, { onChange, onFailure }) {
  const failed = () => onFailure(video.error?.message || 'the browser cannot play this')
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
    close() {
      video.removeEventListener('error', failed)
      video.removeEventListener('resize', onChange)
      video.textTracks.removeEventListener('addtrack', onChange)
    },
  }
}
