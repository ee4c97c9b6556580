/** Subtitles as WebVTT has them (W3C WebVTT §4). */
export type Subtitles = {
  /** STYLE and REGION blocks, each without a line end behind it */
  readonly blocks: readonly string[]
  /** by their beginning */
  readonly cues: readonly Cue[]
}

export type Cue = {
  readonly startMs: number
  readonly endMs: number
  /** '' without */
  readonly id: string
  /** such as `line:0 align:start`; '' without */
  readonly settings: string
  /** lines of cue text, never an empty one */
  readonly text: string
}

/** More than anybody reads in a day of film; what comes after them is left out. */
const LIMIT_CUES = 100_000

/**
 * Read WebVTT, or SubRip (SRT) where nothing says that it is WebVTT. What is malformed is left out, as browsers do.
 *
 * @param octets UTF-8; SubRip that is none is taken for windows-1252, as old files are
 */
export function readSubtitles(octets: Uint8Array): Subtitles {
  const text = decode(octets)
    .replace(/^\ufeff/, '')
    .replace(/\r\n?/g, '\n')
    .replaceAll('\0', '\ufffd')
  const isVtt = /^WEBVTT(?:[ \t\n]|$)/.test(text)
  const found = text.split(/\n{2,}/)
  const blocks = isVtt ? found.map((block) => block.trimEnd()).filter(isStyle) : []
  const cues: Cue[] = []
  for (const block of found) {
    const cue = readCue(block, isVtt)
    if (cue !== null) cues.push(cue)
    if (cues.length === LIMIT_CUES) break
  }
  return { blocks, cues: cues.toSorted((a, b) => a.startMs - b.startMs) }
}

function isStyle(block: string): boolean {
  return /^(?:STYLE|REGION)[ \t]*\n/.test(block) && !block.includes('-->')
}

/** All of it, as one file; or what is shown between two moments, as a segment of HLS (RFC 8216bis §3.1.4). */
export function writeWebVtt(
  { blocks, cues }: Subtitles,
  segment: { readonly fromMs: number; readonly toMs: number; readonly mpegTs: number } | null,
): string {
  const shown =
    segment === null
      ? cues
      : cues.filter(({ startMs, endMs }) => startMs < segment.toMs && endMs > segment.fromMs)
  // Which moment of the film's own clock (90 kHz) is 0 here.
  const map = segment === null ? '' : `\nX-TIMESTAMP-MAP=MPEGTS:${segment.mpegTs},LOCAL:00:00:00.000`
  return `${[`WEBVTT${map}`, ...blocks, ...shown.map(cueBlock)].join('\n\n')}\n`
}

function cueBlock({ startMs, endMs, id, settings, text }: Cue): string {
  const line = `${timestamp(startMs)} --> ${timestamp(endMs)}${settings === '' ? '' : ` ${settings}`}`
  return `${id === '' ? '' : `${id}\n`}${line}\n${text}`
}

function readCue(block: string, isVtt: boolean): Cue | null {
  const lines = block.replace(/^\n+|\s+$/g, '').split('\n')
  const at = lines.findIndex((line) => line.includes('-->'))
  // A line before is the id (WebVTT) or the number (SubRip); more of them are something else.
  if (at < 0 || at > 1) return null
  const [, start, end, settings = ''] = TIMING.exec(lines[at]!) ?? []
  const startMs = readTimestamp(start)
  const endMs = readTimestamp(end)
  const text = lines.slice(at + 1).join('\n')
  if (startMs === null || endMs === null || endMs <= startMs || text === '') return null
  // An arrow would begin another cue.
  if (isVtt && (settings + text).includes('-->')) return null
  if (!isVtt) {
    const plain = ofSubRip(text)
    return plain.text === '' ? null : { startMs, endMs, id: '', ...plain }
  }
  return { startMs, endMs, id: lines.slice(0, at).join(''), settings: settings.trim(), text }
}

const TIMING = /^[ \t]*([\d:.,]+)[ \t]*-->[ \t]*([\d:.,]+)(?:[ \t]+(.*))?$/

/** Hours may be left out; SubRip has a comma before the milliseconds. */
function readTimestamp(text: string | undefined): number | null {
  const match = /^(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})$/.exec(text ?? '')
  if (match === null) return null
  const [, hours = '0', minutes, seconds, parts] = match
  if (Number(minutes) > 59 || Number(seconds) > 59) return null
  return (
    ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000 + Number(parts!.padEnd(3, '0'))
  )
}

function timestamp(ms: number): string {
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const parts = String(ms % 1000).padStart(3, '0')
  return `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1000) % 60)}.${parts}`
}

/** Text of SubRip: it has tags of HTML, of which b, i and u are known; `{\an8}` puts the text at the top. */
export function ofSubRip(text: string): Pick<Cue, 'settings' | 'text'> {
  const place = /\{\\an([1-9])\}/.exec(text)?.[1]
  const plain = text
    .replace(/\{\\[^}\n]*\}/g, '')
    .replace(/<\/?font[^>\n]*>/gi, '')
    .replace(/&(?!(?:amp|lt|gt|nbsp|lrm|rlm);)/g, '&amp;')
    .replace(/<(?!\/?[biu]>)/gi, '&lt;')
    .replaceAll('-->', '--&gt;')
  // A line that held nothing but tags is empty now, and an empty line would end the cue.
  const lines = plain.split('\n').filter((line) => line.trim() !== '')
  const isTop = place === '7' || place === '8' || place === '9'
  return { settings: isTop ? 'line:0' : '', text: lines.join('\n').trimEnd() }
}

function decode(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets)
  } catch {
    return new TextDecoder('windows-1252').decode(octets)
  }
}
