/** How urgent a response is, and whether parts of it are of use already (RFC 9218 §4). */
export type Priority = {
  /** 0, the most urgent, to 7 */
  readonly urgency: number
  readonly incremental: boolean
}

/** What a request without Priority has (RFC 9218 §4). */
export const DEFAULT_PRIORITY: Priority = { urgency: 3, incremental: false }

/**
 * Read a Priority field or the value of PRIORITY_UPDATE: a dictionary with `u` and `i` (RFC 9218 §4, §7.1).
 *
 * Members that are unknown, of another type or out of range are ignored (RFC 9218 §4), and so is a value that is no
 * dictionary (RFC 8941 §4.2).
 *
 * @example parsePriority('u=1, i') // { urgency: 1, incremental: true }
 */
export function parsePriority(value: string): Priority {
  return USUAL.get(value) ?? parseDictionary(value)
}

function parseDictionary(value: string): Priority {
  if (value.length > LIMIT_OCTETS || !DICTIONARY.test(value)) return DEFAULT_PRIORITY
  let { urgency, incremental } = DEFAULT_PRIORITY
  for (const [, key, item] of value.matchAll(MEMBER)) {
    // RFC 8941 §3.2: the last one of a name counts.
    if (key === 'u') urgency = /^[0-7]$/.test(item ?? '') ? Number(item) : DEFAULT_PRIORITY.urgency
    else if (key === 'i') incremental = item === undefined || item === '?1'
  }
  return { urgency, incremental }
}

/** What browsers send, with each request of theirs. */
const USUAL: ReadonlyMap<string, Priority> = new Map([
  ['i', { urgency: DEFAULT_PRIORITY.urgency, incremental: true }],
  ...[0, 1, 2, 3, 4, 5, 6, 7].flatMap((urgency): [string, Priority][] => [
    [`u=${urgency}`, { urgency, incremental: false }],
    [`u=${urgency}, i`, { urgency, incremental: true }],
  ]),
])

/** longer ones are nobody's priority */
const LIMIT_OCTETS = 256
// The grammar of RFC 8941 §3; no part can be matched in two ways, so that no text takes long.
const KEY = '[a-z*][a-z0-9_.*-]*'
const ITEM =
  '(?:\\?[01]|-?[0-9]{1,15}(?:\\.[0-9]{1,3})?|"(?:[ !#-\\[\\]-~]|\\\\["\\\\])*"|[A-Za-z*][!#$%&\'*+.^_`|~0-9A-Za-z:/-]*|:[A-Za-z0-9+/=]*:)'
const PARAMETERS = `(?:; *${KEY}(?:=${ITEM})?)*`
const INNER_LIST = `\\( *(?:${ITEM}${PARAMETERS}(?: +|(?=\\))))*\\)`
const VALUE = `(?:${ITEM}|${INNER_LIST})`
const ONE = `${KEY}(?:=${VALUE})?${PARAMETERS}`
const DICTIONARY = new RegExp(`^ *(?:${ONE}(?:[ \\t]*,[ \\t]*${ONE})*)? *$`)
const MEMBER = new RegExp(`(${KEY})(?:=(${VALUE}))?${PARAMETERS}(?:[ \\t]*,[ \\t]*| *$)`, 'g')
