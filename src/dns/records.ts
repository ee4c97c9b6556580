import type { Path } from '#config/places.ts'
import type { Written } from '#config/source.ts'
import type { Position, Problem } from '#core/problem.ts'
import { parseDuration } from '#core/units.ts'
import { fixOfData } from './data-fix.ts'
import type { PoolPlan, PoolUse } from './pool-plan.ts'
import type { RecordConfig, RecordSetConfig, RecordsConfig, TtlConfig } from './record-config.ts'
import { type ReadSpecial, readAlias, readPool } from './special-records.ts'
import { addressFault, hostTargetFault, TARGET_SECTIONS } from './target-fault.ts'
import { parseRdata, printRdata, quoteText } from './wire/rdata.ts'
import { isMetaType, typeName, typeNumber } from './wire/types.ts'
import { checkBelow, looksLikeAddress, type NameFault, ownerName, targetName } from './written-name.ts'

/** One record on its way into a zone, with the place it comes from. */
export type RecordDraft = {
  /** absolute, A-labels, lower case */
  readonly owner: string
  readonly type: string
  /** presentation form with absolute names */
  readonly data: string
  /** seconds */
  readonly ttl: number
  readonly from: Position
  readonly why: 'written' | 'derived from the host' | 'default'
  readonly pool?: PoolUse
}

export type ReadRecords = {
  readonly drafts: readonly RecordDraft[]
  /** `owner type` of empty lists: the user wants no such records, not even derived ones */
  readonly emptied: ReadonlySet<string>
  readonly problems: readonly Problem[]
}

/**
 * Read the `records` of a domain.
 *
 * @param apex absolute name of the domain
 * @param path where they stand in the file
 * @param defaultTtl seconds
 */
export function readRecords(
  records: RecordsConfig,
  place: {
    readonly apex: string
    readonly written: Written
    readonly path: Path
    readonly defaultTtl: number
    readonly pools: ReadonlyMap<string, PoolPlan>
  },
): ReadRecords {
  const drafts: RecordDraft[] = []
  const emptied = new Set<string>()
  const problems: Problem[] = []
  for (const [ownerText, types] of Object.entries(records)) {
    const ownerAt = place.written.keyAt([...place.path, ownerText])
    const owner = ownerName(ownerText, place.apex)
    if (typeof owner !== 'string') {
      problems.push({ level: 'error', at: ownerAt, ...owner })
      continue
    }
    const outside = checkBelow(ownerText, owner, place.apex, ownerAt)
    if (outside !== undefined) problems.push(outside)
    if (outside?.level === 'error') continue
    for (const [typeText, set] of Object.entries(types)) {
      const path = [...place.path, ownerText, typeText]
      const special = readSpecial(typeText, set, { ...place, ownerText, owner, path })
      if (special !== undefined) {
        drafts.push(...special.drafts)
        if (special.problem !== undefined) problems.push(special.problem)
        continue
      }
      const type = readType(typeText, place.written.keyAt(path))
      if (typeof type !== 'number') {
        problems.push(type)
        continue
      }
      const items = itemsOf(set, path)
      if (items.length === 0) emptied.add(`${owner} ${typeName(type)}`)
      const advice = items.flatMap(({ ttl, path: at }) => {
        return ttl === undefined
          ? []
          : (ttlAdvice(ttlSeconds(ttl), `${typeName(type)} of "${ownerText}"`, place.written.at(at)) ?? [])
      })
      problems.push(...advice.slice(0, 1))
      for (const item of items) {
        const read = readRecord(item, { ownerText, owner, type, ...place, from: place.written.at(item.path) })
        if ('draft' in read) drafts.push(read.draft)
        if (read.problem !== undefined) problems.push(read.problem)
      }
    }
  }
  return { drafts, emptied, problems }
}

/** What is no set of rdata: an ALIAS, or a pool. */
function readSpecial(
  typeText: string,
  set: RecordSetConfig,
  place: Omit<RecordPlace, 'type' | 'from'> & {
    readonly path: Path
    readonly written: Written
    readonly pools: ReadonlyMap<string, PoolPlan>
  },
): ReadSpecial | undefined {
  const type = typeText.toUpperCase()
  const from = place.written.at(place.path)
  const single: RecordSetConfig = Array.isArray(set) && set.length === 1 ? set[0] : set
  const record = isRecord(single) ? single : undefined
  const ttl = record?.ttl === undefined ? undefined : ttlSeconds(record.ttl)
  const where = { ...place, from, ttl: ttl ?? place.defaultTtl }
  if (type === 'ALIAS')
    return readAlias(
      itemsOf(set, place.path).map(({ data }) => data),
      where,
    )
  if (record?.pool !== undefined) {
    const { pool, policy = 'nearest' } = record
    return readPool(type, { pool, policy, ttl }, { ...where, ttl: place.defaultTtl })
  }
  const isMixed =
    Array.isArray(set) && set.some((item) => typeof item === 'object' && item.pool !== undefined)
  if (!isMixed) return undefined
  const message = `${type} of "${place.ownerText}" has a pool beside other records; a pool stands alone.`
  return {
    drafts: [],
    problem: error('dns/pool-alone', from, message, 'make the others members of the pool'),
  }
}

type Item = { readonly data: string; readonly ttl: TtlConfig | undefined; readonly path: Path }

/** The forms a set of records may be written in, as a flat list. */
function itemsOf(set: RecordSetConfig, path: Path): Item[] {
  if (typeof set === 'string') return [{ data: set, ttl: undefined, path }]
  if (isRecord(set)) return itemsOfRecord(set, path)
  return set.flatMap((item, index) => itemsOf(item, [...path, index]))
}

function itemsOfRecord(record: RecordConfig, path: Path): Item[] {
  const all = typeof record.data === 'string' ? [record.data] : (record.data ?? [])
  return all.map((data, index) => {
    return { data, ttl: record.ttl, path: all.length > 1 ? [...path, 'data', index] : [...path, 'data'] }
  })
}

function isRecord(set: RecordSetConfig): set is RecordConfig {
  return typeof set === 'object' && !Array.isArray(set)
}

type RecordPlace = {
  readonly ownerText: string
  readonly owner: string
  readonly type: number
  readonly apex: string
  readonly defaultTtl: number
  readonly from: Position
}

function readRecord(
  item: Item,
  place: RecordPlace,
): { draft: RecordDraft; problem?: Problem } | { problem: Problem } {
  const type = typeName(place.type)
  const rdata = canonicalData(item.data, place)
  if (typeof rdata === 'string')
    return {
      problem: error(
        'dns/record-data',
        place.from,
        `${type} of "${place.ownerText}": ${sentence(rdata)}`,
        fixOfData(type, item.data),
      ),
    }
  if ('code' in rdata) return { problem: error(rdata.code, place.from, rdata.message, rdata.fix) }
  const ttl = item.ttl === undefined ? place.defaultTtl : ttlSeconds(item.ttl)
  const draft: RecordDraft = {
    owner: place.owner,
    type,
    data: rdata.data,
    ttl,
    from: place.from,
    why: 'written',
  }
  const fault = ttlFault(ttl, `${type} of "${place.ownerText}"`, place.from)
  if (fault !== undefined) return { draft: { ...draft, ttl: place.defaultTtl }, problem: fault }
  if (!rdata.split) return { draft }
  const message = `${type} of "${place.ownerText}" is a string of ${Buffer.byteLength(item.data)} octets; one holds 255, so it is sent as several, which readers join (RFC 1035 §3.3.14, RFC 7208 §3.3).`
  const problem: Problem = {
    level: 'warning',
    code: 'dns/txt-split',
    at: place.from,
    message,
    fix: JSON.stringify(rdata.data),
  }
  return { draft, problem }
}

/** RFC 2181 §8: 31 bits. */
const MAX_TTL = 2 ** 31 - 1

/** Say what is wrong with a TTL, in seconds. */
export function ttlFault(ttl: number, what: string, at: Position): Problem | undefined {
  if (ttl >= 0 && ttl <= MAX_TTL) return undefined
  const message = `The TTL of ${what} is ${ttl} seconds; 0 to ${MAX_TTL} can be sent (RFC 2181 §8).`
  return error('dns/ttl-range', at, message, '"ttl": 300')
}

/** Below, each visitor asks anew; above, a change is seen a day later (RFC 1912 §2.2 advises from hours to days). */
const USUAL_TTL = { min: 30, max: 86_400 }

/** Say when a TTL, in seconds, can be sent and is rarely what is meant. */
export function ttlAdvice(ttl: number, what: string, at: Position): Problem | undefined {
  if (ttl < 0 || ttl > MAX_TTL || (ttl >= USUAL_TTL.min && ttl <= USUAL_TTL.max)) return undefined
  const why =
    ttl < USUAL_TTL.min ? 'nearly every visitor asks anew' : 'a mistake is seen for longer than a day'
  const message = `The TTL of ${what} is ${ttl} seconds, so ${why}; ${USUAL_TTL.min} seconds to a day are usual (RFC 1912 §2.2).`
  const fix = ttl < USUAL_TTL.min ? '"ttl": "1m"' : '"ttl": "1d"'
  return { ...error('dns/ttl-unusual', at, message, fix), level: 'warning' }
}

/** Read a TTL as written into seconds. */
export function ttlSeconds(written: TtlConfig): number {
  if (typeof written === 'number') return written
  if (written.endsWith('w')) return Number(written.slice(0, -1)) * 604_800
  return (parseDuration(written) ?? 0) / 1000
}

/** Names in data as people write them become absolute; then the type's own form is checked. */
function canonicalData(
  text: string,
  place: RecordPlace,
): { data: string; split: boolean } | NameFault | string {
  const type = typeName(place.type)
  const isText = type === 'TXT' || type === 'SPF'
  // A text without quotes is one string: splitting it at its spaces would lose them.
  const form =
    isText && !text.trimStart().startsWith('"') ? quoteText(text) : absoluteTargets(text, type, place)
  if (typeof form !== 'string') return form
  const rdata = parseRdata(place.type, form)
  if (typeof rdata === 'string') return rdata
  const split = rdata.split || (isText && Buffer.byteLength(text) > 255 && !text.includes('" "'))
  return { data: printRdata(place.type, rdata.wire), split }
}

/** Which word of the data is a name that may be written as people do, by type; see `targetName`. */
export const TARGETS: Readonly<Record<string, number>> = {
  CNAME: 0,
  DNAME: 0,
  NS: 0,
  PTR: 0,
  MX: 1,
  AFSDB: 1,
  KX: 1,
  RT: 1,
  SRV: 3,
  HTTPS: 1,
  SVCB: 1,
}

function absoluteTargets(text: string, type: string, place: RecordPlace): string | NameFault {
  const index = TARGETS[type]
  if (index === undefined) return text
  const words = [...text.matchAll(/\S+/g)]
  const word = words[index]
  // Too few words, or RFC 3597's "\#": the type's own reader says what is wanted.
  if (word === undefined || words[0]![0] === '\\#') return text
  const target = word[0]
  if (looksLikeAddress(target)) return addressFault(target, type, place.ownerText)
  const name = targetName(target, place.apex)
  if (typeof name !== 'string') return name
  const fault = type in TARGET_SECTIONS ? hostTargetFault(target, name) : undefined
  return fault ?? text.slice(0, word.index) + name + text.slice(word.index + target.length)
}

function readType(text: string, at: Position): number | Problem {
  const type = typeNumber(text)
  if (type === undefined)
    return error(
      'dns/unknown-type',
      at,
      `"${text}" is no record type; one that has no name is written as TYPE and its number (RFC 3597 §5).`,
      text.toLowerCase() === 'ttl'
        ? 'a TTL stands beside its data: "A": { "data": "203.0.113.7", "ttl": "1h" }'
        : 'a type such as "TXT", or "TYPE65280": "\\\\# 2 abcd"',
    )
  if (isMetaType(type))
    return error(
      'dns/meta-type',
      at,
      `"${text}" stands in queries only, never in a zone (RFC 6895 §3.1).`,
      'remove it',
    )
  if (typeName(type) !== 'SOA') return type
  return error(
    'dns/soa-is-derived',
    at,
    'The SOA record follows from the domain: its serial grows when the zone changes.',
    'remove it; "contact" sets its mail address',
  )
}

function error(code: string, at: Position, message: string, fix: string): Problem {
  return { level: 'error', code, at, message, fix }
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
