/** An element of an MPD. */
export type Element = {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  readonly text: string
}

/**
 * Read an MPD: well-formed XML, elements and attributes of ISO 23009-1 in their order, timelines that add up.
 *
 * @throws {Error} which names the rule that is broken
 */
export function readMpd(text: string): Element {
  const root = parseXml(text)
  require(root.name === 'MPD', '§5.3.1: the root is MPD')
  require(root.attributes.get('xmlns') === 'urn:mpeg:dash:schema:mpd:2011', 'Annex B: the namespace')
  judge(root)
  const isStatic = root.attributes.get('type') === 'static'
  const total = seconds(root.attributes.get('mediaPresentationDuration'))
  require(!isStatic || total > 0, '§5.3.1.2: a static MPD says how long it is')
  require(isStatic || root.attributes.has('availabilityStartTime'), '§5.3.1.2: a dynamic one says since when')
  require(isStatic || root.attributes.has('publishTime'), '§5.3.1.2: a dynamic one says when it was written')
  for (const template of all(root, 'SegmentTemplate')) judgeTimeline(template, isStatic ? total : null)
  for (const period of all(root, 'Period')) {
    const ids = all(period, 'Representation').map(({ attributes }) => attributes.get('id'))
    require(new Set(ids).size === ids.length, '§5.3.5.2: ids of representations differ within a period')
  }
  return root
}

/** All elements of a name, at any depth. */
export function all(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...all(child, name)])
}

type Rule = {
  readonly children: readonly string[]
  readonly required: readonly string[]
  readonly optional?: readonly string[]
}

/** Children in the order of the schema (Annex B). */
const RULES: Readonly<Record<string, Rule>> = {
  MPD: {
    children: ['ServiceDescription', 'Period', 'UTCTiming'],
    required: ['xmlns', 'profiles', 'minBufferTime'],
    optional: [
      'type',
      'mediaPresentationDuration',
      'availabilityStartTime',
      'publishTime',
      'minimumUpdatePeriod',
      'timeShiftBufferDepth',
      'suggestedPresentationDelay',
    ],
  },
  ServiceDescription: { children: ['Latency'], required: ['id'] },
  Latency: { children: [], required: [], optional: ['target', 'referenceId', 'min', 'max'] },
  UTCTiming: { children: [], required: ['schemeIdUri', 'value'] },
  Period: { children: ['AdaptationSet'], required: ['id', 'start'] },
  AdaptationSet: {
    children: ['SupplementalProperty', 'Label', 'ProducerReferenceTime', 'Role', 'Representation'],
    required: ['mimeType'],
    optional: ['id', 'contentType', 'lang', 'segmentAlignment', 'startWithSAP', 'maxWidth', 'maxHeight'],
  },
  SupplementalProperty: { children: [], required: ['schemeIdUri', 'value'] },
  EssentialProperty: { children: [], required: ['schemeIdUri', 'value'] },
  ProducerReferenceTime: { children: [], required: ['id', 'type', 'wallClockTime', 'presentationTime'] },
  Role: { children: [], required: ['schemeIdUri', 'value'] },
  Label: { children: [], required: [] },
  BaseURL: { children: [], required: [] },
  Representation: {
    children: [
      'AudioChannelConfiguration',
      'EssentialProperty',
      'SupplementalProperty',
      'BaseURL',
      'SegmentTemplate',
    ],
    required: ['id', 'bandwidth'],
    optional: ['codecs', 'width', 'height', 'frameRate', 'audioSamplingRate'],
  },
  AudioChannelConfiguration: { children: [], required: ['schemeIdUri', 'value'] },
  SegmentTemplate: {
    children: ['SegmentTimeline'],
    required: ['timescale', 'media'],
    optional: [
      'initialization',
      'startNumber',
      'presentationTimeOffset',
      'availabilityTimeOffset',
      'availabilityTimeComplete',
    ],
  },
  SegmentTimeline: { children: ['S'], required: [] },
  S: { children: [], required: ['d'], optional: ['t', 'r'] },
}

const FORMS: Readonly<Record<string, RegExp>> = {
  bandwidth: /^[1-9]\d*$/,
  width: /^[1-9]\d*$/,
  height: /^[1-9]\d*$/,
  timescale: /^[1-9]\d*$/,
  startNumber: /^\d+$/,
  d: /^[1-9]\d*$/,
  t: /^\d+$/,
  r: /^\d+$/,
  frameRate: /^[1-9]\d*(?:\/[1-9]\d*)?$/,
  minBufferTime: /^PT(?=.)(?:\d+(?:\.\d+)?S)$/,
  mediaPresentationDuration: /^PT\d+(?:\.\d+)?S$/,
  lang: /^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/,
  profiles: /^urn:mpeg:dash:profile:isoff-(?:live|main):2011$/,
}

function judge({ name, attributes, children }: Element): void {
  const rule = RULES[name]
  require(rule !== undefined, `Annex B: ${name} is no element`)
  for (const wanted of rule!.required) require(attributes.has(wanted), `${name} has ${wanted}`)
  for (const [key, value] of attributes) {
    require(rule!.required.includes(key) || rule!.optional?.includes(key) === true, `${name} has no ${key}`)
    require(FORMS[key]?.test(value) !== false, `${name} ${key}="${value}" is of another form`)
  }
  const order = children.map((child) => rule!.children.indexOf(child.name))
  require(!order.includes(-1), `${name} has no child ${children[order.indexOf(-1)]?.name}`)
  require(order.every(
    (place, i) => i === 0 || order[i - 1]! <= place,
  ), `Annex B: children of ${name} have an order`)
  for (const child of children) judge(child)
}

/** §5.3.9.6: segments follow each other, and the last ends with the film (a frame more or less). */
function judgeTimeline(template: Element, totalSeconds: number | null): void {
  const timescale = Number(template.attributes.get('timescale'))
  const media = template.attributes.get('media')!
  require(/\$(?:Number|Time)(?:%0\d+d)?\$/.test(media), '§5.3.9.4.4: media has $Number$ or $Time$')
  let next: number | null = null
  for (const { attributes } of all(template, 'S')) {
    const start: number = Number(attributes.get('t') ?? next ?? 0)
    require(next === null || start >= next, '§5.3.9.6.1: no segment begins before the one before it ends')
    require(next === null || start - next <= timescale / 100, 'no gap between segments')
    next = start + Number(attributes.get('d')) * (Number(attributes.get('r') ?? 0) + 1)
  }
  require(next !== null, '§5.3.9.6: a timeline has a segment')
  if (totalSeconds === null) return
  const end = next! / timescale
  require(end <= totalSeconds + 0.1 &&
    end > totalSeconds - 15, `segments end at ${end} s of ${totalSeconds} s`)
}

function seconds(duration: string | undefined): number {
  return Number(/^PT(\d+(?:\.\d+)?)S$/.exec(duration ?? '')?.[1] ?? Number.NaN)
}

function require(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`ISO 23009-1 ${rule}`)
}

/** XML 1.0 without what no MPD needs: no DTD, no CDATA, no comments. */
function parseXml(text: string): Element {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
  require(text.startsWith(declaration), 'XML: the declaration')
  const token = /\s*(?:<(\/)?([A-Za-z][\w:.-]*)((?:\s+[A-Za-z][\w:.-]*="[^"<]*")*)\s*(\/)?>|([^<]+))/y
  token.lastIndex = declaration.length
  type Open = { name: string; attributes: Map<string, string>; children: Element[]; text: string }
  const stack: Open[] = [{ name: '', attributes: new Map(), children: [], text: '' }]
  while (token.lastIndex < text.trimEnd().length) {
    const match = token.exec(text)
    if (match === null) throw new Error(`XML: not well-formed near ${text.slice(token.lastIndex - 40)}`)
    const [, isEnd, name = '', list = '', isEmpty, content] = match
    const top = stack.at(-1)!
    if (content !== undefined) {
      top.text += unescapeXml(content.trim())
    } else if (isEnd !== undefined) {
      require(stack.length > 1 && top.name === name, `XML: </${name}> ends what it began`)
      stack.pop()
      stack.at(-1)!.children.push(top)
    } else {
      const pairs = [...list.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(
        ([, key, value]) => [key!, unescapeXml(value!)] as const,
      )
      const attributes = new Map(pairs)
      require(attributes.size === pairs.length, `XML: attributes of ${name} stand once`)
      const element = { name, attributes, children: [], text: '' }
      if (isEmpty === undefined) stack.push(element)
      else top.children.push(element)
    }
  }
  require(stack.length === 1 && stack[0]!.children.length === 1, 'XML: one root that ends')
  return stack[0]!.children[0]!
}

function unescapeXml(text: string): string {
  require(!/&(?!(?:#\d+|#x[0-9a-fA-F]+|amp|lt|gt|quot|apos);)/.test(text), 'XML: & begins a reference')
  return text.replace(/&(?:#(\d+)|(\w+));/g, (_, code, entity) => {
    return code === undefined ? ENTITIES[entity]! : String.fromCodePoint(Number(code))
  })
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
