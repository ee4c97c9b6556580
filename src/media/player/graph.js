// What the last minute was like: seconds at hand, what came how fast, what was switched, and where it stalled.

const SHOWN_S = 60

/** Keeps what was seen of one playback. */
export function createHistory() {
  return {
    looks: [],
    loads: [],
    switches: [],
    stalls: [],
    octets: 0,
    requests: 0,
    stalledMs: 0,
    stallCount: 0,
  }
}

/** Forget what has left the graph. */
export function forget({ looks, loads, switches, stalls }, now) {
  const from = now - SHOWN_S * 1000
  while (looks.length > 0 && looks[0].at < from) looks.shift()
  while (loads.length > 0 && loads[0].end < from) loads.shift()
  while (switches.length > 0 && switches[0].at < from) switches.shift()
  while (stalls.length > 0 && stalls[0].end < from) stalls.shift()
}

/** Octets a second over what was under way in the last seconds; requests that overlap are counted once. */
export function throughput({ loads }, now) {
  const last = loads.filter(({ end }) => end > now - 15_000)
  let octets = 0
  let busyMs = 0
  let until = 0
  for (const load of last.sort((a, b) => a.begin - b.begin)) {
    octets += load.octets
    busyMs += Math.max(0, load.end - Math.max(until, load.begin))
    until = Math.max(until, load.end)
  }
  return busyMs === 0 ? 0 : (octets * 1000) / busyMs
}

/** Draw two lanes: seconds ahead of the picture, and how fast each request came. */
export function draw(canvas, history, now) {
  const scale = devicePixelRatio || 1
  const width = canvas.clientWidth
  const height = canvas.clientHeight
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
  }
  const style = getComputedStyle(canvas)
  const pen = canvas.getContext('2d')
  pen.setTransform(scale, 0, 0, scale, 0, 0)
  pen.clearRect(0, 0, width, height)
  pen.font = `12px ${style.fontFamily}`
  const colour = (name) => style.getPropertyValue(name)
  const x = (at) => width - ((now - at) / (SHOWN_S * 1000)) * width
  const split = Math.round(height * 0.62)
  drawStalls(pen, history, { x, now, height, colour: colour('--bad') })
  drawAhead(pen, history.looks, {
    x,
    width,
    top: 18,
    bottom: split,
    fill: colour('--link'),
    text: colour('--soft'),
  })
  const span = 'the last minute'
  pen.fillStyle = colour('--soft')
  pen.fillText(span, width - pen.measureText(span).width, 12)
  drawLoads(pen, history.loads, {
    x,
    width,
    top: split + 24,
    bottom: height - 2,
    fill: colour('--good'),
    text: colour('--soft'),
  })
  drawSwitches(pen, history.switches, { x, width, height, colour: colour('--ink') })
}

function drawStalls(pen, { stalls }, { x, now, height, colour }) {
  pen.fillStyle = colour
  pen.globalAlpha = 0.35
  for (const { begin, end } of stalls) {
    const to = Math.min(end, now)
    pen.fillRect(x(begin), 0, Math.max(2, x(to) - x(begin)), height)
  }
  pen.globalAlpha = 1
}

function drawAhead(pen, looks, { x, width, top, bottom, fill, text }) {
  const most = Math.max(10, ...looks.map(({ ahead }) => ahead))
  const y = (ahead) => bottom - (ahead / most) * (bottom - top)
  if (looks.length > 0) {
    pen.beginPath()
    pen.moveTo(x(looks[0].at), bottom)
    for (const { at, ahead } of looks) pen.lineTo(x(at), y(ahead))
    pen.lineTo(x(looks.at(-1).at), bottom)
    pen.fillStyle = fill
    pen.globalAlpha = 0.3
    pen.fill()
    pen.globalAlpha = 1
    pen.beginPath()
    for (const { at, ahead } of looks) pen.lineTo(x(at), y(ahead))
    pen.strokeStyle = fill
    pen.lineWidth = 1.5
    pen.stroke()
  }
  label(pen, `Ahead of the picture, up to ${most.toFixed(0)} s`, { top, bottom, width, text })
}

function drawLoads(pen, loads, { x, width, top, bottom, fill, text }) {
  const most = Math.max(1e6, ...loads.map(({ bits }) => bits))
  pen.fillStyle = fill
  for (const { begin, end, bits } of loads) {
    const tall = Math.max(2, (bits / most) * (bottom - top))
    pen.fillRect(x(begin), bottom - tall, Math.max(2, x(end) - x(begin)), tall)
  }
  label(pen, `Requests, up to ${rate(most)}`, { top, bottom, width, text })
}

function drawSwitches(pen, switches, { x, width, height, colour }) {
  pen.strokeStyle = colour
  pen.fillStyle = colour
  pen.setLineDash([3, 3])
  for (const [i, { at, name }] of switches.entries()) {
    pen.beginPath()
    pen.moveTo(x(at), 18)
    pen.lineTo(x(at), height)
    pen.stroke()
    const wide = pen.measureText(name).width
    const isRoom = x(at) + wide + 6 < width
    pen.fillText(name, isRoom ? x(at) + 4 : x(at) - wide - 4, i % 2 === 0 ? 32 : 46)
  }
  pen.setLineDash([])
}

function label(pen, words, { top, bottom, width, text }) {
  pen.fillStyle = text
  pen.fillText(words, 0, top - 6)
  pen.fillRect(0, bottom, width, 1)
}

/** A bit rate for people. */
export const rate = (bits) => {
  if (bits >= 1e9) return `${(bits / 1e9).toFixed(1)} Gb/s`
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(bits < 1e8 ? 1 : 0)} Mb/s` : `${Math.round(bits / 1e3)} kb/s`
}
