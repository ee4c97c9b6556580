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
export function createTimeline(video, { line, peek, still, time, spanOf, goTo }) {
  let tiles = []
  const pictures = new Map()
  let hiding = 0
  /** All of a film, or how far one can go back in what is live. */
  const span = () => spanOf() ?? { from: 0, to: Number.isFinite(video.duration) ? video.duration : 0 }
  const lasts = () => Math.max(0, span().to - span().from)
  const words = (seconds) => (spanOf() === null ? clock(seconds) : `−${clock(span().to - seconds)}`)

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
    time.textContent = words(seconds)
    peek.hidden = false
    const half = peek.offsetWidth / 2
    const place = ((seconds - span().from) / (lasts() || 1)) * line.clientWidth
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
    return span().from + Math.max(0, Math.min(1, (clientX - left) / width)) * lasts()
  }
  line.addEventListener('pointermove', (event) => {
    clearTimeout(hiding)
    if (lasts() > 0) show(pointed(event))
  })
  line.addEventListener('pointerleave', hide)
  line.addEventListener('input', () => {
    showForNow(Number(line.value))
    goTo(Number(line.value))
  })

  return {
    showForNow,
    setTiles: (read) => (tiles = read),
    /** Draw what is at hand, and where the picture stands. */
    look() {
      const all = lasts()
      const { from: begin, to: edge } = span()
      line.disabled = all === 0
      line.min = String(begin)
      line.max = String(edge || 1)
      if (document.activeElement !== line || !line.matches(':active')) line.value = String(video.currentTime)
      line.setAttribute(
        'aria-valuetext',
        spanOf() === null
          ? `${clock(video.currentTime)} of ${clock(all)}`
          : `${clock(edge - video.currentTime)} behind live, of ${clock(all)}`,
      )
      const percent = (seconds) =>
        `${Math.max(0, Math.min(100, (100 * (seconds - begin)) / (all || 1))).toFixed(2)}%`
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
