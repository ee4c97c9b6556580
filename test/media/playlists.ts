/** What a playlist says, after it was found to be right: for tests that look further. */
export type ReadPlaylist = {
  readonly kind: 'multivariant' | 'media'
  /** attribute lists by tag, in order */
  readonly tags: ReadonlyMap<string, readonly Attributes[]>
  /** of segments, variants and renditions, as written */
  readonly uris: readonly string[]
  readonly segments: readonly {
    readonly uri: string
    readonly seconds: number
    readonly map: string | null
  }[]
  readonly targetSeconds: number
  readonly hasEnded: boolean
}

export type Attributes = ReadonlyMap<string, string>

/**
 * Read a playlist as strictly as RFC 8216bis writes it, and throw at the first rule that is broken.
 *
 * @throws {Error} which names the line and the section
 */
export function readPlaylist(text: string): ReadPlaylist {
  return new Reader(text).read()
}

type Form = 'yes-no' | 'quoted' | 'integer' | 'decimal' | 'resolution' | 'hex' | RegExp

const SINGLE = new Set([
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PART-INF',
  'EXT-X-SKIP',
])
const OF_MEDIA = new Set([
  'EXTINF',
  'EXT-X-BYTERANGE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-KEY',
  'EXT-X-MAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-GAP',
  'EXT-X-BITRATE',
  'EXT-X-PART',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-I-FRAMES-ONLY',
  'EXT-X-PART-INF',
  'EXT-X-SERVER-CONTROL',
  'EXT-X-PRELOAD-HINT',
  'EXT-X-RENDITION-REPORT',
  'EXT-X-SKIP',
  'EXT-X-DATERANGE',
])
const OF_MULTIVARIANT = new Set([
  'EXT-X-MEDIA',
  'EXT-X-STREAM-INF',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-SESSION-DATA',
  'EXT-X-SESSION-KEY',
  'EXT-X-CONTENT-STEERING',
])
const OF_BOTH = new Set([
  'EXTM3U',
  'EXT-X-VERSION',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-START',
  'EXT-X-DEFINE',
])

/** Forms of attributes (§4.2), by tag. */
const FORMS: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  'EXT-X-MEDIA': {
    TYPE: /^(?:AUDIO|VIDEO|SUBTITLES|CLOSED-CAPTIONS)$/,
    URI: 'quoted',
    'GROUP-ID': 'quoted',
    LANGUAGE: 'quoted',
    NAME: 'quoted',
    DEFAULT: 'yes-no',
    AUTOSELECT: 'yes-no',
    FORCED: 'yes-no',
    CHANNELS: 'quoted',
    CHARACTERISTICS: 'quoted',
  },
  'EXT-X-STREAM-INF': {
    BANDWIDTH: 'integer',
    'AVERAGE-BANDWIDTH': 'integer',
    CODECS: 'quoted',
    'SUPPLEMENTAL-CODECS': 'quoted',
    RESOLUTION: 'resolution',
    'VIDEO-RANGE': /^(?:SDR|HLG|PQ)$/,
    'FRAME-RATE': 'decimal',
    AUDIO: 'quoted',
    SUBTITLES: 'quoted',
  },
  'EXT-X-I-FRAME-STREAM-INF': {
    BANDWIDTH: 'integer',
    'AVERAGE-BANDWIDTH': 'integer',
    CODECS: 'quoted',
    'SUPPLEMENTAL-CODECS': 'quoted',
    RESOLUTION: 'resolution',
    'VIDEO-RANGE': /^(?:SDR|HLG|PQ)$/,
    URI: 'quoted',
  },
  'EXT-X-KEY': { METHOD: /^(?:NONE|AES-128)$/, URI: 'quoted', IV: 'hex' },
  'EXT-X-MAP': { URI: 'quoted', BYTERANGE: 'quoted' },
  'EXT-X-PART': {
    URI: 'quoted',
    DURATION: 'decimal',
    INDEPENDENT: 'yes-no',
    BYTERANGE: 'quoted',
    GAP: 'yes-no',
  },
  'EXT-X-PART-INF': { 'PART-TARGET': 'decimal' },
  'EXT-X-SERVER-CONTROL': {
    'CAN-BLOCK-RELOAD': /^YES$/,
    'CAN-SKIP-UNTIL': 'decimal',
    'HOLD-BACK': 'decimal',
    'PART-HOLD-BACK': 'decimal',
  },
  'EXT-X-PRELOAD-HINT': { TYPE: /^(?:PART|MAP)$/, URI: 'quoted', 'BYTERANGE-START': 'integer' },
  'EXT-X-RENDITION-REPORT': { URI: 'quoted', 'LAST-MSN': 'integer', 'LAST-PART': 'integer' },
  'EXT-X-SKIP': { 'SKIPPED-SEGMENTS': 'integer' },
}

const PATTERNS: Readonly<Record<Exclude<Form, RegExp>, RegExp>> = {
  'yes-no': /^(?:YES|NO)$/,
  quoted: /^"[^"\r\n]*"$/,
  integer: /^\d{1,20}$/,
  decimal: /^\d+(?:\.\d+)?$/,
  resolution: /^[1-9]\d*x[1-9]\d*$/,
  hex: /^0[xX][0-9a-fA-F]+$/,
}

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'EXT-X-MEDIA': ['TYPE', 'GROUP-ID', 'NAME'],
  'EXT-X-STREAM-INF': ['BANDWIDTH'],
  'EXT-X-I-FRAME-STREAM-INF': ['BANDWIDTH', 'URI'],
  'EXT-X-KEY': ['METHOD'],
  'EXT-X-MAP': ['URI'],
  'EXT-X-PART': ['URI', 'DURATION'],
  'EXT-X-PART-INF': ['PART-TARGET'],
  'EXT-X-PRELOAD-HINT': ['TYPE', 'URI'],
  'EXT-X-RENDITION-REPORT': ['URI'],
  'EXT-X-SKIP': ['SKIPPED-SEGMENTS'],
}

class Reader {
  readonly #lines: readonly string[]
  readonly #tags = new Map<string, Attributes[]>()
  readonly #values = new Map<string, string>()
  readonly #uris: string[] = []
  readonly #segments: { uri: string; seconds: number; map: string | null }[] = []
  #at = 0
  #seconds: number | null = null
  #isOfVariant = false
  #map: string | null = null

  constructor(text: string) {
    this.#require(!text.startsWith('\ufeff'), '§4.1: no byte order mark')
    this.#require(text.normalize('NFC') === text, '§4.1: Unicode in form NFC')
    this.#require(text.endsWith('\n'), '§4.1: each line ends')
    this.#lines = text.replace(/\r?\n$/, '').split(/\r?\n/)
  }

  read(): ReadPlaylist {
    this.#require(this.#lines[0] === '#EXTM3U', '§4.4.1.1: EXTM3U is the first line')
    for (const line of this.#lines) {
      this.#at++
      if (line.startsWith('#EXT')) this.#readTag(line)
      else if (line !== '' && !line.startsWith('#')) this.#readUri(line)
    }
    this.#at = 0
    this.#require(!this.#isOfVariant && this.#seconds === null, '§4.1: a tag waits for its URI')
    const kind = this.#kind()
    if (kind === 'media') this.#judgeMedia()
    else this.#judgeMultivariant()
    return {
      kind,
      tags: this.#tags,
      uris: this.#uris,
      segments: this.#segments,
      targetSeconds: this.#number('EXT-X-TARGETDURATION') ?? 0,
      hasEnded: this.#tags.has('EXT-X-ENDLIST'),
    }
  }

  #readTag(line: string): void {
    const [, name = '', value] = /^#([A-Z0-9-]+)(?::(.*))?$/.exec(line) ?? []
    this.#require(
      OF_MEDIA.has(name) || OF_MULTIVARIANT.has(name) || OF_BOTH.has(name),
      `a tag that is known, not ${line}`,
    )
    this.#require(!SINGLE.has(name) || !this.#tags.has(name), `§4.4: ${name} stands once`)
    const forms = FORMS[name]
    const attributes =
      forms === undefined ? new Map<string, string>() : this.#readAttributes(name, value ?? '', forms)
    this.#tags.set(name, [...(this.#tags.get(name) ?? []), attributes])
    if (value !== undefined) this.#values.set(name, value)
    if (name === 'EXTINF') this.#readDuration(value ?? '')
    if (name === 'EXT-X-STREAM-INF') this.#isOfVariant = true
    if (name === 'EXT-X-MAP') this.#map = unquoted(attributes.get('URI')!)
    const uri = attributes.get('URI')
    if (uri !== undefined) this.#uris.push(unquoted(uri))
  }

  #readAttributes(tag: string, list: string, forms: Readonly<Record<string, Form>>): Attributes {
    const attributes = new Map<string, string>()
    const member = /([A-Z0-9-]+)=("[^"]*"|[^",\s][^",]*)(?:,(?=.)|$)/y
    while (member.lastIndex < list.length) {
      const match = member.exec(list)
      this.#require(match !== null, `§4.2: an attribute list, not ${list}`)
      const [, name, value] = match as unknown as [string, string, string]
      this.#require(!attributes.has(name), `§4.2: ${name} stands once in ${tag}`)
      const form = forms[name]
      this.#require(form !== undefined, `${tag} has no ${name}`)
      const pattern = form instanceof RegExp ? form : PATTERNS[form!]
      this.#require(pattern.test(value), `§4.2: ${name}=${value} of ${tag} is of another form`)
      attributes.set(name, value)
    }
    for (const name of REQUIRED[tag] ?? []) this.#require(attributes.has(name), `${tag} has ${name}`)
    return attributes
  }

  #readDuration(value: string): void {
    this.#require(this.#seconds === null, '§4.4.4.1: one EXTINF a segment')
    const [, seconds] = /^(\d+(?:\.\d+)?),/.exec(value) ?? []
    this.#require(seconds !== undefined, `§4.4.4.1: EXTINF has a duration and a comma, not ${value}`)
    this.#seconds = Number(seconds)
  }

  #readUri(line: string): void {
    this.#require(!/\s/.test(line) && URL.canParse(line, 'http://host/'), `§4.1: a URI, not ${line}`)
    this.#uris.push(line)
    if (this.#isOfVariant) {
      this.#isOfVariant = false
      return
    }
    this.#require(this.#seconds !== null, '§4.4.4.1: every segment has an EXTINF')
    this.#segments.push({ uri: line, seconds: this.#seconds!, map: this.#map })
    this.#seconds = null
  }

  #kind(): 'multivariant' | 'media' {
    const names = [...this.#tags.keys()]
    const isMedia = names.some((name) => OF_MEDIA.has(name))
    const isMultivariant = names.some((name) => OF_MULTIVARIANT.has(name))
    this.#require(
      isMedia !== isMultivariant,
      '§4.1: tags of media and of multivariant playlists are never mixed',
    )
    return isMedia ? 'media' : 'multivariant'
  }

  #judgeMedia(): void {
    const target = this.#number('EXT-X-TARGETDURATION')
    this.#require(
      target !== undefined && Number.isInteger(target),
      '§4.4.3.1: EXT-X-TARGETDURATION is a whole number',
    )
    for (const { seconds, uri } of this.#segments)
      this.#require(Math.round(seconds) <= target!, `§4.4.3.1: ${uri} is longer than the target duration`)
    const type = this.#values.get('EXT-X-PLAYLIST-TYPE')
    this.#require(type === undefined || /^(?:VOD|EVENT)$/.test(type), '§4.4.3.5: VOD or EVENT')
    this.#require(
      type !== 'VOD' || this.#tags.has('EXT-X-ENDLIST'),
      '§4.4.3.5: VOD does not change, so it has its end',
    )
    this.#judgeVersion()
    this.#judgeParts(target!)
    for (const key of this.#tags.get('EXT-X-KEY') ?? []) {
      const isNone = key.get('METHOD') === 'NONE'
      this.#require(isNone !== key.has('URI'), '§4.4.4.4: a method has a URI, NONE has none')
      const iv = key.get('IV')
      this.#require(iv === undefined || iv.length === 34, '§5.2: an IV has 128 bits')
    }
    const isEncrypted = this.#tags.get('EXT-X-KEY')?.some((key) => key.get('METHOD') !== 'NONE')
    if (isEncrypted && this.#tags.has('EXT-X-MAP'))
      this.#require(
        this.#tags.get('EXT-X-KEY')!.every((key) => key.has('IV')),
        '§4.4.4.5: an encrypted section needs an IV',
      )
    const sequence = this.#values.get('EXT-X-MEDIA-SEQUENCE')
    this.#require(sequence === undefined || /^\d+$/.test(sequence), '§4.4.3.2: a whole number')
  }

  /** §8: what needs a version says it. */
  #judgeVersion(): void {
    const version = this.#number('EXT-X-VERSION') ?? 1
    const isIFrames = this.#tags.has('EXT-X-I-FRAMES-ONLY')
    const isFraction = this.#segments.some(({ seconds }) => !Number.isInteger(seconds))
    const needs: [number, boolean, string][] = [
      [2, this.#tags.get('EXT-X-KEY')?.some((key) => key.has('IV')) === true, 'IV'],
      [3, isFraction, 'EXTINF with a fraction'],
      [4, isIFrames || this.#tags.has('EXT-X-BYTERANGE'), 'EXT-X-BYTERANGE and EXT-X-I-FRAMES-ONLY'],
      [5, this.#tags.has('EXT-X-MAP'), 'EXT-X-MAP'],
      [6, this.#tags.has('EXT-X-MAP') && !isIFrames, 'EXT-X-MAP without EXT-X-I-FRAMES-ONLY'],
      [9, this.#tags.has('EXT-X-SKIP'), 'EXT-X-SKIP'],
    ]
    for (const [least, isUsed, what] of needs)
      this.#require(!isUsed || version >= least, `§8: ${what} needs version ${least}, not ${version}`)
  }

  /** §4.4.3.7, §4.4.3.8, §4.4.4.9. */
  #judgeParts(target: number): void {
    const parts = this.#tags.get('EXT-X-PART') ?? []
    const info = this.#tags.get('EXT-X-PART-INF')?.[0]
    const control = this.#tags.get('EXT-X-SERVER-CONTROL')?.[0]
    const partTarget = Number(info?.get('PART-TARGET'))
    this.#require(parts.length === 0 || info !== undefined, '§4.4.3.7: parts need EXT-X-PART-INF')
    for (const part of parts)
      this.#require(
        Number(part.get('DURATION')) <= partTarget + 1e-6,
        '§4.4.4.9: no part is longer than PART-TARGET',
      )
    const holdBack = control?.get('HOLD-BACK')
    this.#require(
      holdBack === undefined || Number(holdBack) >= 3 * target,
      '§4.4.3.8: HOLD-BACK is three target durations',
    )
    if (info !== undefined) {
      const partHoldBack = Number(control?.get('PART-HOLD-BACK'))
      this.#require(partHoldBack >= 2 * partTarget, '§4.4.3.8: PART-HOLD-BACK is two PART-TARGETs at least')
    }
    const skip = control?.get('CAN-SKIP-UNTIL')
    this.#require(
      skip === undefined || Number(skip) >= 6 * target,
      '§4.4.3.8: CAN-SKIP-UNTIL is six target durations',
    )
  }

  #judgeMultivariant(): void {
    const media = this.#tags.get('EXT-X-MEDIA') ?? []
    const groups = new Set(media.map((tag) => `${tag.get('TYPE')} ${tag.get('GROUP-ID')}`))
    const names = media.map((tag) => `${tag.get('TYPE')} ${tag.get('GROUP-ID')} ${tag.get('NAME')}`)
    this.#require(new Set(names).size === names.length, '§4.4.6.1.1: names of a group differ')
    for (const group of groups) {
      const members = media.filter((tag) => `${tag.get('TYPE')} ${tag.get('GROUP-ID')}` === group)
      const defaults = members.filter((tag) => tag.get('DEFAULT') === 'YES')
      this.#require(defaults.length <= 1, `§4.4.6.1.1: ${group} has one default`)
    }
    for (const tag of media) {
      const isSubtitles = tag.get('TYPE') === 'SUBTITLES'
      this.#require(!isSubtitles || tag.has('URI'), '§4.4.6.1: subtitles have a URI')
      this.#require(isSubtitles || !tag.has('FORCED'), '§4.4.6.1: FORCED is of subtitles')
      this.#require(
        tag.get('DEFAULT') !== 'YES' || tag.get('AUTOSELECT') !== 'NO',
        '§4.4.6.1: a default is selected by itself',
      )
    }
    const variants = this.#tags.get('EXT-X-STREAM-INF') ?? []
    this.#require(variants.length > 0, '§4.4.6.2: there is a variant')
    for (const variant of variants) {
      for (const [name, type] of [
        ['AUDIO', 'AUDIO'],
        ['SUBTITLES', 'SUBTITLES'],
      ] as const) {
        const group = variant.get(name)
        this.#require(
          group === undefined || groups.has(`${type} ${group}`),
          `§4.4.6.2: ${name}=${group} is a group`,
        )
      }
      this.#require(variant.has('CODECS'), '§4.4.6.2: every variant should say its codecs')
      this.#require(
        !variant.has('FRAME-RATE') || variant.has('RESOLUTION'),
        '§4.4.6.2: video says its resolution',
      )
      const [peak, average] = ['BANDWIDTH', 'AVERAGE-BANDWIDTH'].map((name) => Number(variant.get(name)))
      this.#require(!(average! > peak!), '§4.4.6.2: the average is not above the peak')
    }
  }

  #number(tag: string): number | undefined {
    const value = this.#values.get(tag)
    return value === undefined ? undefined : Number(value)
  }

  #require(holds: boolean, rule: string): asserts holds {
    if (!holds) throw new Error(`${this.#at === 0 ? '' : `Line ${this.#at}: `}RFC 8216bis ${rule}`)
  }
}

function unquoted(value: string): string {
  return value.replace(/^"|"$/g, '')
}
