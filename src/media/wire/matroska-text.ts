import { inflateSync } from 'node:zlib'
import { type Element, elementsIn, unsigned } from './ebml.ts'
import { ofSubRip } from './subtitles.ts'
import { type Said, saidOf } from './timed-text.ts'

/** A track of text of a Matroska file (RFC 9559 §5.1.4). */
export type TextEntry = {
  readonly number: number
  readonly codec: string
  /** as the file has it; '' when it does not say */
  readonly language: string
  readonly name: string
  readonly isForced: boolean
  /** head of its WebVTT; empty of other text */
  readonly config: Uint8Array
  readonly isDeflated: boolean
}

/** Identifiers of RFC 9559 §5.1.3 and §5.1.4. */
const ids = {
  entry: 0xae,
  number: 0xd7,
  codec: 0x86,
  config: 0x63a2,
  language: 0x22b59c,
  languageTag: 0x22b59d,
  name: 0x536e,
  forced: 0x55aa,
  encodings: 0x6d80,
  encoding: 0x6240,
  scope: 0x5032,
  compression: 0x5034,
  algorithm: 0x4254,
  blockGroup: 0xa0,
  block: 0xa1,
  blockDuration: 0x9b,
  simpleBlock: 0xa3,
  additions: 0x75a1,
  more: 0xa6,
  additional: 0xa5,
} as const

/** Subtitles that can be written as WebVTT; `D_WEBVTT` is WebM's older name. */
const TEXT = /^(?:S_TEXT\/(?:UTF8|WEBVTT|ASS|SSA)|S_ASS|S_SSA|D_WEBVTT\/(?:SUBTITLES|CAPTIONS))$/

/** The tracks of text in Tracks that can be read: of their encodings, deflation of the blocks is known (§5.1.4.1.31). */
export function textEntries(tracks: Uint8Array): TextEntry[] {
  return childrenOf(tracks, ids.entry).flatMap((entry) => {
    const codec = stringOf(entry, ids.codec)
    const packing = packingOf(entry)
    if (!TEXT.test(codec) || packing === 'unknown') return []
    const config = childOf(entry, ids.config)
    return [
      {
        number: numberOf(entry, ids.number),
        codec,
        language: stringOf(entry, ids.languageTag) || stringOf(entry, ids.language),
        name: stringOf(entry, ids.name),
        isForced: numberOf(entry, ids.forced) === 1,
        config: /WEBVTT/.test(codec) && config !== undefined ? config : new Uint8Array(),
        isDeflated: packing === 'deflated',
      },
    ]
  })
}

function packingOf(entry: Uint8Array): 'plain' | 'deflated' | 'unknown' {
  const encodings = childOf(entry, ids.encodings)
  if (encodings === undefined) return 'plain'
  const [encoding, ...others] = childrenOf(encodings, ids.encoding)
  const compression = encoding === undefined ? undefined : childOf(encoding, ids.compression)
  if (encoding === undefined || compression === undefined || others.length > 0) return 'unknown'
  // Scope 1 is the blocks, algorithm 0 is zlib; both are what is meant when nothing is said.
  const scope = childOf(encoding, ids.scope)
  const isOfBlocks = scope === undefined || unsigned(scope) === 1
  return isOfBlocks && numberOf(compression, ids.algorithm) === 0 ? 'deflated' : 'unknown'
}

/** A block of text: what is in it, and for how many ticks it stands. */
export type TextBlock = { readonly text: Uint8Array; readonly extra: string; readonly durationTicks: number }

/**
 * Read a block by itself or in its group (RFC 9559 §5.1.3.5).
 *
 * @returns undefined when it is another track's, or none
 */
export function readTextBlock(
  { id }: Element,
  data: Uint8Array,
  track: Pick<TextEntry, 'number' | 'isDeflated'>,
): TextBlock | undefined {
  const block = id === ids.blockGroup ? childOf(data, ids.block) : id === ids.simpleBlock ? data : undefined
  if (block === undefined || block.length < 5) return undefined
  // Numbers of up to 126 have one octet, then come two of time and one of flags; nobody has more tracks.
  if (block[0] !== 0x80 + track.number) return undefined
  const written = block.subarray(4)
  const text = track.isDeflated ? inflated(written) : written
  const additions = id === ids.blockGroup ? childOf(data, ids.additions) : undefined
  const more = additions && childOf(additions, ids.more)
  return {
    text,
    extra: more === undefined ? '' : stringOf(more, ids.additional),
    durationTicks: id === ids.blockGroup ? numberOf(data, ids.blockDuration) : 0,
  }
}

/** Nobody reads more at once. */
const LIMIT_TEXT_OCTETS = 65_536

function inflated(octets: Uint8Array): Uint8Array {
  try {
    return inflateSync(octets, { maxOutputLength: LIMIT_TEXT_OCTETS })
  } catch {
    return new Uint8Array()
  }
}

/** What a block says: SubRip, WebVTT with its settings beside it, or a line of SSA without its effects. */
export function readMatroskaText(codec: string, { text: octets, extra }: TextBlock): readonly Said[] {
  const text = new TextDecoder().decode(octets.subarray(0, LIMIT_TEXT_OCTETS))
  if (codec === 'S_TEXT/UTF8') {
    const { settings, text: plain } = ofSubRip(text.replace(/\r\n?/g, '\n'))
    return saidOf('', settings, plain)
  }
  if (codec === 'S_TEXT/WEBVTT') {
    const [settings = '', id = ''] = extra.split('\n')
    return saidOf(id.trim(), settings.trim(), text)
  }
  if (codec.startsWith('D_WEBVTT')) {
    const [id = '', settings = '', ...lines] = text.split('\n')
    return saidOf(id.trim(), settings.trim(), lines.join('\n'))
  }
  return ofSsa(text)
}

/** Number, layer, style, name, three margins and an effect stand before the text. */
const SSA_FIELDS = 8

function ofSsa(line: string): readonly Said[] {
  const said = line.split(',').slice(SSA_FIELDS).join(',')
  // Drawings are no text.
  if (/\{[^}]*\\p[1-9]/.test(said)) return []
  const plain = said.replace(/\\[Nn]/g, '\n').replaceAll('\\h', ' ')
  const marked = plain.replace(/\{[^}]*\}/g, (tags) => {
    const place = /\\an[1-9]/.exec(tags)?.[0]
    const italic = /\\i([01])(?!\d)/.exec(tags)?.[1]
    return `${place === undefined ? '' : `{${place}}`}${italic === undefined ? '' : italic === '1' ? '<i>' : '</i>'}`
  })
  const { settings, text } = ofSubRip(marked)
  return saidOf('', settings, text)
}

/** None in what is malformed: the film goes on without its text. */
function childrenOf(data: Uint8Array, id: number): Uint8Array[] {
  try {
    return elementsIn(data, 0).flatMap((part) => (part.element.id === id ? [part.data] : []))
  } catch {
    return []
  }
}

function childOf(data: Uint8Array, id: number): Uint8Array | undefined {
  return childrenOf(data, id)[0]
}

function numberOf(data: Uint8Array, id: number): number {
  return unsigned(childOf(data, id) ?? new Uint8Array())
}

function stringOf(data: Uint8Array, id: number): string {
  return new TextDecoder().decode(childOf(data, id)).replace(/\0.*$/s, '')
}
