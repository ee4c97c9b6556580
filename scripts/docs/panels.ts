/** Milliseconds and octets. */
export type Point = readonly [ms: number, octets: number]

export type Panel = {
  readonly name: string
  readonly sent: readonly Point[]
  readonly read: readonly Point[]
}

const WIDTH = 300
const HEIGHT = 190
const MARGIN = 44
const COLUMNS = 2

/** Draw what went over the wire in several ways beside each other, on the same axes. */
export function drawPanels(
  panels: readonly Panel[],
  { endMs, endOctets }: { readonly endMs: number; readonly endOctets: number },
): string {
  const x = (ms: number): number => Math.round((ms / endMs) * WIDTH * 10) / 10
  const y = (octets: number): number => Math.round((1 - octets / endOctets) * HEIGHT * 10) / 10
  const line = (points: readonly Point[]): string => {
    return thinned(points)
      .map(([ms, octets], i) => `${i === 0 ? 'M' : 'L'}${x(Math.min(ms, endMs))} ${y(octets)}`)
      .join('')
  }
  const seconds = Array.from({ length: endMs / 1000 + 1 }, (_, i) => i)
  const axes = [
    ...seconds.map(
      (s) => `<text class="tick" x="${x(s * 1000)}" y="${HEIGHT + 16}" text-anchor="middle">${s} s</text>`,
    ),
    ...[0, 0.5, 1].map((share) => {
      const at = y(share * endOctets)
      const label = `${(share * endOctets) / 1e6} MB`
      return `<path class="grid" d="M0 ${at}H${WIDTH}"/><text class="tick" x="-6" y="${at + 4}" text-anchor="end">${label}</text>`
    }),
  ].join('\n')
  const drawn = panels.map(({ name, sent, read }, i) => {
    const left = MARGIN + 16 + (i % COLUMNS) * (WIDTH + 2 * MARGIN)
    const top = MARGIN + Math.floor(i / COLUMNS) * (HEIGHT + 2 * MARGIN)
    return `<g transform="translate(${left} ${top})"><text class="name" y="-14">${name}</text>
${axes}
<path class="sent" d="${line(sent)}"/><path class="read" d="${line(read)}"/></g>`
  })
  const width = COLUMNS * (WIDTH + 2 * MARGIN) + 16
  const height = Math.ceil(panels.length / COLUMNS) * (HEIGHT + 2 * MARGIN) + 24
  const legend = `<g transform="translate(${MARGIN + 16} ${height - 16})"><path class="sent" d="M0 -4h28"/><text x="36">taken by the client's socket</text><path class="read" d="M250 -4h28"/><text x="286">read by the player</text></g>`
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="13">
<title>Octets over time: ${panels.map(({ name }) => name).join(', ')}</title>
<style>${STYLE}</style>
<rect class="paper" width="${width}" height="${height}"/>
${drawn.join('\n')}
${legend}
</svg>
`
}

const STYLE = `.paper { fill: #fff } text { fill: #1d2430 } .name { font-weight: 600 } .tick { fill: #5b6575; font-size: 11px }
.grid { stroke: #d9dee7 } .sent, .read { fill: none; stroke-width: 2 } .sent { stroke: #2457c5 } .read { stroke: #d9822b; stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) { .paper { fill: #14181f } text { fill: #e8ebf0 } .tick { fill: #9aa5b5 } .grid { stroke: #2b3340 } .sent { stroke: #7aa5ff } .read { stroke: #f0a95b } }`

/** Points between two that say the same say nothing. */
function thinned(points: readonly Point[]): Point[] {
  return points.filter(([, octets], i) => octets !== points[i - 1]?.[1] || octets !== points[i + 1]?.[1])
}
