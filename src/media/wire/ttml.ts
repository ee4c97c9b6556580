import { type Attributes, readXml, type XmlNode } from './xml.ts'

/** What a document of timed text shows, in its own time (W3C TTML2). */
export type TimedParagraph = {
  readonly startMs: number
  /** Infinity when nothing says it */
  readonly endMs: number
  /** of WebVTT */
  readonly settings: string
  readonly text: string
}

/**
 * Read a document of TTML, as far as WebVTT can say it: times, lines, italics, bold, underlining, and whether a text stands
 * at the top. Pictures (IMSC image profile) are no text.
 *
 * @returns nothing when it is malformed
 */
export function readTtml(document: string): readonly TimedParagraph[] {
  const root = readXml(document)
  if (root?.name !== 'tt') return []
  const head = root.children.filter(isElement).find(({ name }) => name === 'head')
  const named = new Map(head === undefined ? [] : identified(head))
  const clock = clockOf(root.attributes)
  const found: TimedParagraph[] = []
  for (const body of root.children.filter(isElement)) {
    const whole = { startMs: 0, endMs: Number.POSITIVE_INFINITY, region: undefined }
    if (body.name === 'body') collect(body, whole, { clock, named, found })
  }
  return found
}

type Element = Exclude<XmlNode, string>
type Clock = { readonly frameMs: number; readonly tickMs: number }
type Document = {
  readonly clock: Clock
  /** styles and regions by their id */
  readonly named: ReadonlyMap<string, Element>
  readonly found: TimedParagraph[]
}
/** When an element is shown, and where. */
type Stretch = { readonly startMs: number; readonly endMs: number; readonly region: string | undefined }

function isElement(node: XmlNode): node is Element {
  return typeof node !== 'string'
}

function identified(element: Element): [string, Element][] {
  const own: [string, Element][] =
    element.attributes['id'] === undefined ? [] : [[element.attributes['id'], element]]
  return [...own, ...element.children.filter(isElement).flatMap(identified)]
}

function clockOf({ frameRate, frameRateMultiplier, tickRate }: Attributes): Clock {
  const rate = Number(frameRate) || 30
  const [times = 1, by = 1] = (frameRateMultiplier ?? '').split(/[\s:]+/).map(Number)
  const frames = (rate * (times || 1)) / (by || 1)
  // TTML2 §7.2.16: a tick is a frame, where frames are said, else a second.
  return {
    frameMs: 1000 / frames,
    tickMs: 1000 / (Number(tickRate) || (frameRate === undefined ? 1 : frames)),
  }
}

function collect(element: Element, outer: Stretch, document: Document): void {
  const inner = stretchOf(element, outer, document.clock)
  if (element.name === 'p') return paragraph(element, inner, document)
  for (const child of element.children.filter(isElement))
    if (child.name === 'div' || child.name === 'p') collect(child, inner, document)
}

/** Times count from the beginning of what they stand in (TTML2 §12.2), and end with it. */
function stretchOf({ attributes }: Element, outer: Stretch, clock: Clock): Stretch {
  const startMs = outer.startMs + (timeMs(attributes['begin'], clock) ?? 0)
  const endMs = outer.startMs + (timeMs(attributes['end'], clock) ?? Number.POSITIVE_INFINITY)
  const lastMs = startMs + (timeMs(attributes['dur'], clock) ?? Number.POSITIVE_INFINITY)
  return {
    startMs,
    endMs: Math.min(outer.endMs, endMs, lastMs),
    region: attributes['region'] ?? outer.region,
  }
}

function paragraph(element: Element, stretch: Stretch, document: Document): void {
  let { region } = stretch
  let text = ''
  const add = (node: XmlNode, isKept: boolean): string => {
    if (typeof node === 'string') return escaped(isKept ? node : node.replace(/\s+/g, ' '))
    if (node.name === 'br') return '\n'
    if (node.name !== 'span' && node.name !== 'p') return ''
    const { attributes } = node
    region = attributes['region'] ?? region
    const keeps = attributes['space'] === undefined ? isKept : attributes['space'] === 'preserve'
    const said = node.children.map((child) => add(child, keeps)).join('')
    const marked = marksOf(node, document.named).reduce(
      (inside, mark) => `<${mark}>${inside}</${mark}>`,
      said,
    )
    if (node.name === 'p' || (attributes['begin'] ?? attributes['end'] ?? attributes['dur']) === undefined)
      return marked
    // What comes and goes by itself is a text of its own.
    push(marked, stretchOf(node, stretch, document.clock))
    return ''
  }
  const push = (said: string, { startMs, endMs }: Stretch): void => {
    const lines = said.split('\n').map((line) => line.trim())
    const shown = lines.filter((line) => line.replace(/<[^>]*>/g, '').trim() !== '').join('\n')
    const settings = isAtTop(region, document.named) ? 'line:0' : ''
    if (shown !== '' && endMs > startMs) document.found.push({ startMs, endMs, settings, text: shown })
  }
  text = add(element, false)
  push(text, stretch)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function marksOf(element: Element, named: Document['named']): string[] {
  const style = styleOf(element, named)
  return [
    ...(/^(?:italic|oblique)$/.test(style['fontStyle'] ?? '') ? ['i'] : []),
    ...(style['fontWeight'] === 'bold' ? ['b'] : []),
    ...(/\bunderline\b/.test(style['textDecoration'] ?? '') ? ['u'] : []),
  ]
}

/** Styles that are named, then those of its own. */
function styleOf({ attributes }: Element, named: Document['named']): Attributes {
  const ids = (attributes['style'] ?? '').split(/\s+/).slice(0, LIMIT_STYLES)
  return Object.assign({}, ...ids.map((id) => named.get(id)?.attributes ?? {}), attributes)
}

const LIMIT_STYLES = 16

/** Whether a text stands in the upper half: a region has a corner, an extent, and the side that text lies on. */
function isAtTop(id: string | undefined, named: Document['named']): boolean {
  const region = id === undefined ? undefined : named.get(id)
  if (region === undefined) return false
  const { origin, extent, displayAlign = 'before' } = styleOf(region, named)
  const [top, height] = [origin, extent].map((pair) => /^\S+\s+([\d.]+)%$/.exec(pair ?? '')?.[1]).map(Number)
  if (!(top! >= 0) || !(height! >= 0)) return false
  const share = displayAlign === 'after' ? 1 : displayAlign === 'center' ? 0.5 : 0
  return top! + share * height! < 50
}

/** `01:02:03.5`, `01:02:03:12`, `12.5s`, `90f`, `45000t` (TTML2 §12.3.1). */
function timeMs(written: string | undefined, { frameMs, tickMs }: Clock): number | undefined {
  const clock = /^(\d{2,6}):(\d\d):(\d\d)(?:(\.\d+)|:(\d{2,4})(?:\.\d+)?)?$/.exec(written ?? '')
  if (clock !== null) {
    const [, hours, minutes, seconds, part = '0', frames = '0'] = clock
    const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds) + Number(part)
    return Math.round(whole * 1000 + Number(frames) * frameMs)
  }
  const [, count, unit] = /^(\d{1,12}(?:\.\d+)?)(h|ms|m|s|f|t)$/.exec(written ?? '') ?? []
  if (count === undefined) return undefined
  const units: Readonly<Record<string, number>> = {
    h: 3_600_000,
    m: 60_000,
    s: 1000,
    ms: 1,
    f: frameMs,
    t: tickMs,
  }
  return Math.round(Number(count) * units[unit!]!)
}
