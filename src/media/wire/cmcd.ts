import { parseDictionary, Token } from 'structured-headers'
import type { Fields } from '#http/wire/fields.ts'

/** What a player says of itself with a request (CTA-5004, versions 1 and 2). Milliseconds and kilobits a second. */
export type Cmcd = {
  /** of the session, and of what it plays; null when it does not say */
  readonly session: string | null
  readonly content: string | null
  /** v, a, av, m, i, c, tt, k or o */
  readonly objectType: string | null
  /** h: HLS, d: DASH, s: Smooth, o: other */
  readonly format: string | null
  /** version 2: s, p, k, r, a, w, e, f, q, d */
  readonly state: string | null
  readonly bitrateKbps: number | null
  readonly bufferMs: number | null
  readonly throughputKbps: number | null
  readonly deadlineMs: number | null
  /** 1 is real time, 0 paused */
  readonly rate: number | null
  /** its buffer ran empty since the request before */
  readonly isStarved: boolean
  /** it needs this to begin, or to go on after a seek */
  readonly isStartup: boolean
  /** version 2: from wanting to play to the first picture */
  readonly startDelayMs: number | null
  /** reference of what it asks for next, and which octets of that */
  readonly next: string | null
  readonly nextRange: string | null
}

/** More than all keys of both versions need. */
const LIMIT_OCTETS = 8192
const LIMIT_TEXT = 128
const LIMIT_REFERENCE = 1024

/**
 * Read what a player says in the query (`CMCD=…`) or in its four fields; the fields come first, as they cost no cache key.
 *
 * @param query without its question mark
 * @returns null when it says nothing, or what is no dictionary of RFC 9651
 */
export function readCmcd(query: string, fields: Fields): Cmcd | null {
  const said = FIELDS.flatMap((name) => fields.all(name)).join(',')
  if (said !== '') return parseCmcd(said)
  const text = query.includes('CMCD=') ? new URLSearchParams(query).get('CMCD') : null
  return text === null ? null : parseCmcd(text)
}

const FIELDS = ['cmcd-object', 'cmcd-request', 'cmcd-session', 'cmcd-status']

/** @param text such as `bl=21300,br=3200,ot=v,sid="6e2f"` */
export function parseCmcd(text: string): Cmcd | null {
  if (text.length > LIMIT_OCTETS) return null
  let members: ReturnType<typeof parseDictionary>
  try {
    members = parseDictionary(text)
  } catch {
    return null
  }
  return cmcdOf((key) => {
    const item: unknown = members.get(key)?.[0]
    // Version 2 has a list where version 1 has one: a value for each kind of object, the first of which counts.
    return Array.isArray(item) ? (item as unknown[][])[0]?.[0] : item
  })
}

/**
 * Read what a player reports beside its requests: a dictionary a line (version 2, event mode), or JSON (version 1).
 *
 * @returns what could be read of it
 */
export function readReports(text: string): Cmcd[] {
  if (!/^\s*[[{]/.test(text))
    return text.split('\n', LIMIT_REPORTS).flatMap((line) => parseCmcd(line.trim()) ?? [])
  let written: unknown
  try {
    written = JSON.parse(text)
  } catch {
    return []
  }
  const reports = [written].flat().slice(0, LIMIT_REPORTS)
  return reports
    .filter((report): report is Record<string, unknown> => typeof report === 'object' && report !== null)
    .map((report) => cmcdOf((key) => (Object.hasOwn(report, key) ? report[key] : undefined)))
}

/** Events that a player sends together: it does so each few seconds. */
const LIMIT_REPORTS = 100

function cmcdOf(value: (key: string) => unknown): Cmcd {
  const number = (key: string): number | null => {
    const found = value(key)
    return typeof found === 'number' && found >= 0 && Number.isFinite(found) ? found : null
  }
  const word = (key: string, limit = LIMIT_TEXT): string | null => {
    const found = value(key)
    const said = found instanceof Token ? found.toString() : found
    return typeof said === 'string' && said !== '' ? said.slice(0, limit) : null
  }
  return {
    session: word('sid'),
    content: word('cid'),
    objectType: word('ot'),
    format: word('sf'),
    state: word('sta'),
    bitrateKbps: number('br'),
    bufferMs: number('bl'),
    throughputKbps: number('mtp'),
    deadlineMs: number('dl'),
    rate: number('pr'),
    isStarved: value('bs') === true,
    isStartup: value('su') === true,
    startDelayMs: number('msd'),
    next: decoded(word('nor', LIMIT_REFERENCE)),
    nextRange: word('nrr'),
  }
}

/** CTA-5004: URLs in values are percent-encoded once more. */
function decoded(text: string | null): string | null {
  try {
    return text === null ? null : decodeURIComponent(text)
  } catch {
    return null
  }
}

/** What is said of an object to whoever passes it on (CTA-5006, CMSD-Static). */
export function cmsdStatic(about: {
  readonly objectType: string
  readonly durationMs: number
  readonly bitrateKbps: number
}): string {
  const { objectType, durationMs, bitrateKbps } = about
  return `ot=${objectType},br=${Math.round(bitrateKbps)},d=${Math.round(durationMs)},st=v`
}
