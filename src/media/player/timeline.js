// The whole film as a line: what is at hand, where the picture stands, and what lies where the pointer or the keys are.

/** A moment, as people write it: 1:02:03. */
export function clock(seconds) {
  const all = Math.max(0, Math.floor(seconds || 0))
  const two = (value) => String(value).padStart(2, '0')
  const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60]
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(all % 60)}`
}

/** Where in one picture each stretch of the film is shown: WebVTT with `#xywh=`. */
export function readStoryboard(text, base) {
  const time = '(?:(\\d+):)?(\\d\\d):(\\d\\d\\.\\d{3})'
  const cue = new RegExp(`^${time} --> .*\\n(\\S+)#xywh=(\\d+),(\\d+),(\\d+),(\\d+)$`, 'gm')
  return [...text.matchAll(cue)].map(([, hours = 0, minutes, seconds, picture, ...box]) => {
    const [x, y, width, height] = box.map(Number)
    const at = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
    return { at, url: new URL(picture, base), x, y, width, height }
  })
}

const SHOWN_MS = 1500

/** Make the line work; without a storyboard it shows times alone. */
export function createTimeline(video, { line, peek, still, time }) {
  let tiles = []
  const pictures = new Map()
  let hiding = 0
  const duration = () => (Number.isFinite(video.duration) ? video.duration : 0)

  /** Pictures are fetched when somebody looks for one: segments of the film come first. */
  function hasCome({ href }) {
    const picture = pictures.get(href) ?? Object.assign(new Image(), { src: href })
    pictures.set(href, picture)
    return picture.naturalWidth > 0
  }

  function show(seconds) {
    const tile = tiles.findLast(({ at }) => at <= seconds)
    still.hidden = tile === undefined || !hasCome(tile.url)
    if (!still.hidden) {
      const { url, x, y, width, height } = tile
      still.style.width = `${width}px`
      still.style.height = `${height}px`
      still.style.background = `url("${url.href}") -${x}px -${y}px`
    }
    time.textContent = clock(seconds)
    peek.hidden = false
    const half = peek.offsetWidth / 2
    const place = (seconds / (duration() || 1)) * line.clientWidth
    peek.style.left = `${Math.max(half, Math.min(line.clientWidth - half, place))}px`
  }

  function hide() {
    clearTimeout(hiding)
    peek.hidden = true
  }

  /** By the keys: nobody takes them away from there. */
  function showForNow(seconds) {
    clearTimeout(hiding)
    show(seconds)
    hiding = setTimeout(hide, SHOWN_MS)
  }

  const pointed = ({ clientX }) => {
    const { left, width } = line.getBoundingClientRect()
    return Math.max(0, Math.min(1, (clientX - left) / width)) * duration()
  }
  line.addEventListener('pointermove', (event) => {
    clearTimeout(hiding)
    if (duration() > 0) show(pointed(event))
  })
  line.addEventListener('pointerleave', hide)
  line.addEventListener('input', () => {
    showForNow(Number(line.value))
    video.currentTime = Number(line.value)
  })

  return {
    showForNow,
    setTiles: (read) => (tiles = read),
    /** Draw what is at hand, and where the picture stands. */
    look() {
      const all = duration()
      line.disabled = all === 0
      line.max = String(all || 1)
      if (document.activeElement !== line || !line.matches(':active')) line.value = String(video.currentTime)
      line.setAttribute('aria-valuetext', `${clock(video.currentTime)} of ${clock(all)}`)
      const percent = (seconds) => `${((100 * seconds) / (all || 1)).toFixed(2)}%`
      const parts = [`var(--link) ${percent(video.currentTime)}`]
      let end = video.currentTime
      for (let i = 0; i < video.buffered.length; i++) {
        const [from, to] = [Math.max(end, video.buffered.start(i)), video.buffered.end(i)]
        if (to <= from) continue
        parts.push(
          `var(--line) ${percent(end)} ${percent(from)}`,
          `var(--ready) ${percent(from)} ${percent(to)}`,
        )
        end = to
      }
      parts.push(`var(--line) ${percent(end)}`)
      line.style.setProperty('--parts', `linear-gradient(to right, ${parts.join(', ')})`)
    },
  }
}
