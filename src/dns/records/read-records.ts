import { isIPv4 } from 'node:net'
import type { Path, Written } from '#config/source.ts'
import { type Position, type Problem, sentence } from '#core/problem.ts'
import { parseDuration } from '#core/units.ts'
import type { PoolPlan, PoolUse } from '#dns/pools/plan.ts'
import { parseRdata, printRdata, quoteText } from '#dns/wire/rdata.ts'
import { isMetaType, TYPE, typeName, typeNumber } from '#dns/wire/types.ts'
import type { RecordConfig, RecordSetConfig, RecordsConfig, TtlConfig } from './config.ts'
import { fixOfData } from './data-fix.ts'
import { type ReadSpecial, readAlias, readPool } from './special-records.ts'
import { addressFault, hostTargetFault, TARGET_SECTIONS } from './target-fault.ts'
import { belowFault, looksLikeAddress, type NameFault, ownerName, targetName } from './written-name.ts'

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

/** Where the records of a domain stand, and what is known there. */
type DomainPlace = {
  /** absolute name of the domain */
  readonly apex: string
  readonly written: Written
  /** where they stand in the file */
  readonly path: Path
  /** seconds */
  readonly defaultTtl: number
  readonly pools: ReadonlyMap<string, PoolPlan>
}

type OwnerPlace = { readonly domain: DomainPlace; readonly ownerText: string; readonly owner: string }

/** What was read so far. */
type Reading = { readonly drafts: RecordDraft[]; readonly emptied: Set<string>; readonly problems: Problem[] }

/** Read the `records` of a domain. */
export function readRecords(records: RecordsConfig, domain: DomainPlace): ReadRecords {
  const reading: Reading = { drafts: [], emptied: new Set(), problems: [] }
  for (const ownerText of Object.keys(records)) {
    const owner = ownerName(ownerText, domain.apex)
    const fault =
      typeof owner === 'string'
        ? belowFault(ownerText, owner, domain.apex)
        : ({ level: 'error', ...owner } as const)
    if (fault !== undefined)
      reading.problems.push({ ...fault, at: domain.written.keyAt([...domain.path, ownerText]) })
    if (typeof owner !== 'string' || fault?.level === 'error') continue
    const types = records[ownerText]!
    for (const type of Object.keys(types)) readSet(type, types[type]!, { domain, ownerText, owner }, reading)
  }
  return reading
}

function readSet(
  typeText: string,
  set: RecordSetConfig,
  place: OwnerPlace,
  { drafts, emptied, problems }: Reading,
): void {
  const { domain, ownerText, owner } = place
  const path = [...domain.path, ownerText, typeText]
  const special = readSpecial(typeText, set, place, path)
  if (special !== undefined) {
    drafts.push(...special.drafts)
    if (special.problem !== undefined) problems.push(special.problem)
    return
  }
  const type = typeNumber(typeText)
  const fault = type === undefined ? unknownType(typeText) : typeFault(typeText, type)
  if (type === undefined || fault !== undefined) {
    problems.push({ level: 'error', ...fault!, at: domain.written.keyAt(path) })
    return
  }
  const items = itemsOf(set, path)
  if (items.length === 0) emptied.add(`${owner} ${typeName(type)}`)
  const advice = items.flatMap(({ ttl, path: at }) => {
    return ttl === undefined
      ? []
      : (ttlAdvice(ttlSeconds(ttl), `${typeName(type)} of "${ownerText}"`, domain.written.at(at)) ?? [])
  })
  problems.push(...advice.slice(0, 1))
  for (const item of items) {
    const read = readRecord(item, type, place)
    if ('draft' in read) drafts.push(read.draft)
    if (read.problem !== undefined) problems.push(read.problem)
  }
}

/** What is no set of rdata: an ALIAS, or a pool. */
function readSpecial(
  typeText: string,
  set: RecordSetConfig,
  { domain, ownerText, owner }: OwnerPlace,
  path: Path,
): ReadSpecial | undefined {
  const type = typeText.toUpperCase()
  if (typeof set === 'string' && type !== 'ALIAS') return undefined
  const from = domain.written.at(path)
  const single: RecordSetConfig = Array.isArray(set) && set.length === 1 ? set[0] : set
  const record = isRecord(single) ? single : undefined
  const ttl = record?.ttl === undefined ? undefined : ttlSeconds(record.ttl)
  const where = { ...domain, ownerText, owner, from, ttl: ttl ?? domain.defaultTtl }
  if (type === 'ALIAS')
    return readAlias(
      itemsOf(set, path).map(({ data }) => data),
      where,
    )
  if (record?.pool !== undefined) {
    const { pool, policy = 'nearest' } = record
    return readPool(type, { pool, policy, ttl }, { ...where, ttl: domain.defaultTtl })
  }
  const isMixed =
    Array.isArray(set) && set.some((item) => typeof item === 'object' && item.pool !== undefined)
  if (!isMixed) return undefined
  const message = `${type} of "${ownerText}" has a pool beside other records; a pool stands alone.`
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

function readRecord(
  item: Item,
  number: number,
  { domain, ownerText, owner }: OwnerPlace,
): { draft: RecordDraft; problem?: Problem } | { problem: Problem } {
  const type = typeName(number)
  const from = domain.written.at(item.path)
  const rdata = canonicalData(item.data, number, { ownerText, apex: domain.apex })
  if (typeof rdata === 'string') {
    const message = `${type} of "${ownerText}": ${sentence(rdata)}`
    return { problem: error('dns/record-data', from, message, fixOfData(type, item.data)) }
  }
  if ('code' in rdata) return { problem: error(rdata.code, from, rdata.message, rdata.fix) }
  const ttl = item.ttl === undefined ? domain.defaultTtl : ttlSeconds(item.ttl)
  const draft: RecordDraft = { owner, type, data: rdata.data, ttl, from, why: 'written' }
  const fault = ttlFault(ttl, `${type} of "${ownerText}"`, from)
  if (fault !== undefined) return { draft: { ...draft, ttl: domain.defaultTtl }, problem: fault }
  if (!rdata.split) return { draft }
  const message = `${type} of "${ownerText}" is a string of ${Buffer.byteLength(item.data)} octets; one holds 255, so it is sent as several, which readers join (RFC 1035 §3.3.14, RFC 7208 §3.3).`
  const fix = JSON.stringify(rdata.data)
  return { draft, problem: { level: 'warning', code: 'dns/txt-split', at: from, message, fix } }
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

type DataPlace = { readonly ownerText: string; readonly apex: string }

/** Names in data as people write them become absolute; then the type's own form is checked. */
function canonicalData(
  text: string,
  number: number,
  place: DataPlace,
): { data: string; split: boolean } | NameFault | string {
  // The one form that nothing can be wrong with, and that most records of large zones have.
  if (number === TYPE.A && isIPv4(text)) return { data: text, split: false }
  const type = typeName(number)
  const isText = type === 'TXT' || type === 'SPF'
  // A text without quotes is one string: splitting it at its spaces would lose them.
  const form =
    isText && !text.trimStart().startsWith('"') ? quoteText(text) : absoluteTargets(text, type, place)
  if (typeof form !== 'string') return form
  const rdata = parseRdata(number, form)
  if (typeof rdata === 'string') return rdata
  const split = rdata.split || (isText && Buffer.byteLength(text) > 255 && !text.includes('" "'))
  return { data: printRdata(number, rdata.wire), split }
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

function absoluteTargets(text: string, type: string, place: DataPlace): string | NameFault {
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

function unknownType(text: string): NameFault {
  return {
    code: 'dns/unknown-type',
    message: `"${text}" is no record type; one that has no name is written as TYPE and its number (RFC 3597 §5).`,
    fix:
      text.toLowerCase() === 'ttl'
        ? 'a TTL stands beside its data: "A": { "data": "203.0.113.7", "ttl": "1h" }'
        : 'a type such as "TXT", or "TYPE65280": "\\\\# 2 abcd"',
  }
}

/** A type that no record in a file has. */
function typeFault(text: string, type: number): NameFault | undefined {
  if (isMetaType(type)) {
    const message = `"${text}" stands in queries only, never in a zone (RFC 6895 §3.1).`
    return { code: 'dns/meta-type', message, fix: 'remove it' }
  }
  if (type !== TYPE.SOA) return undefined
  return {
    code: 'dns/soa-is-derived',
    message: 'The SOA record follows from the domain: its serial grows when the zone changes.',
    fix: 'remove it; "contact" sets its mail address',
  }
}

function error(code: string, at: Position, message: string, fix: string): Problem {
  return { level: 'error', code, at, message, fix }
}
