/** Seconds, and what was seen then. */
export type Reading = readonly [seconds: number, value: number]

/** Curves over time in one picture, with spans that are named below them. */
export type Chart = {
  readonly name: string
  readonly unit: string
  readonly endSeconds: number
  readonly curves: readonly { readonly name: string; readonly readings: readonly Reading[] }[]
  readonly spans: readonly { readonly from: number; readonly to: number; readonly name: string }[]
}

const WIDTH = 640
const HEIGHT = 170
const LEFT = 64
const STEP = HEIGHT + 110

/** Draw charts below each other. */
export function drawCharts(charts: readonly Chart[]): string {
  const drawn = charts.map(
    (chart, i) => `<g transform="translate(${LEFT} ${48 + i * STEP})">${drawChart(chart)}</g>`,
  )
  const [width, height] = [WIDTH + LEFT + 24, charts.length * STEP + 8]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>${charts.map(({ name }) => name).join('; ')}</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
${drawn.join('\n')}
</svg>
`
}

function drawChart({ name, unit, endSeconds, curves, spans }: Chart): string {
  const most = niceEnd(Math.max(...curves.flatMap(({ readings }) => readings.map(([, value]) => value))))
  const x = (seconds: number): number => tenth((seconds / endSeconds) * WIDTH)
  const y = (value: number): number => tenth((1 - value / most) * HEIGHT)
  const grid = [0, 0.5, 1].map((share) => {
    const at = y(share * most)
    return `<path class="grid" d="M0 ${at}H${WIDTH}"/><text class="tick" x="-6" y="${at + 4}" text-anchor="end">${share * most} ${unit}</text>`
  })
  const ticks = Array.from({ length: Math.floor(endSeconds / 5) + 1 }, (_, i) => i * 5).map(
    (second) =>
      `<text class="tick" x="${x(second)}" y="${HEIGHT + 16}" text-anchor="middle">${second} s</text>`,
  )
  const shaded = spans.map(
    ({ from, to, name: words }, i) =>
      `<rect class="span${i % 2}" x="${x(from)}" width="${tenth(x(to) - x(from))}" height="${HEIGHT}"/><text class="tick" x="${x(from) + 4}" y="12">${words}</text>`,
  )
  const lines = curves.map(({ readings }, i) => {
    const points = readings.map(([seconds, value]) => `${x(seconds)} ${y(value)}`)
    return `<path class="curve c${i}" d="M${points.join('L')}"/>`
  })
  const legend = curves.map(
    ({ name: words }, i) =>
      `<path class="curve c${i}" d="M${i * 210} ${HEIGHT + 34}h24"/><text x="${i * 210 + 32}" y="${HEIGHT + 38}">${words}</text>`,
  )
  const title = `<text class="name" y="-16">${name}</text>`
  return [title, ...shaded, ...grid, ...ticks, ...lines, ...legend].join('\n')
}

/** The next 1, 2, 4 or 5 with its zeros. */
function niceEnd(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 4, 5, 10].map((step) => step * power).find((end) => end >= most)!
}

const tenth = (value: number): number => Math.round(value * 10) / 10

const STYLE = `.paper { fill: #fff } text { fill: #1d2430 } .name { font-weight: 600 } .tick { fill: #5b6575; font-size: 11px }
.grid { stroke: #d9dee7 } .curve { fill: none; stroke-width: 2 } .c0 { stroke: #2457c5 } .c1 { stroke: #d9822b; stroke-dasharray: 5 3 } .c2 { stroke: #2c8a57; stroke-dasharray: 2 3 }
.span0 { fill: #5b6575; opacity: .05 } .span1 { fill: #cf3a2b; opacity: .09 }
@media (prefers-color-scheme: dark) { .paper { fill: #14181f } text { fill: #e8ebf0 } .tick { fill: #9aa5b5 } .grid { stroke: #2b3340 } .c0 { stroke: #7aa5ff } .c1 { stroke: #f0a95b } .c2 { stroke: #57c08a } }`
