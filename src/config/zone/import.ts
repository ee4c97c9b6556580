import type { Problem } from '#core/problem.ts'
import type { RecordConfig, RecordSetConfig, RecordsConfig, TtlConfig } from '#dns/records/config.ts'
import { TARGETS } from '#dns/records/read-records.ts'
import { type MasterFileOptions, type MasterRecord, parseMasterFile } from '#dns/wire/masterfile.ts'
import { quoteText } from '#dns/wire/rdata.ts'
import type { Note } from '../nginx/notes.ts'

/** A Portico file whose domain has the records of a zone. */
export type ZoneFile = {
  readonly $schema: string
  readonly contact?: string
  readonly domains: Readonly<Record<string, { readonly ttl?: TtlConfig; readonly records: RecordsConfig }>>
}

export type ImportedZone = {
  /** null when the file does not say which domain it is about */
  readonly value: ZoneFile | null
  /** in order of line */
  readonly notes: readonly Note[]
  /** lines that could not be read; the others are imported */
  readonly problems: readonly Problem[]
}

/**
 * Make a Portico file of a master file (RFC 1035 §5).
 *
 * @param text of the zone
 * @param options.domain absolute name; without it the owner of the SOA, which `guess` completes
 * @param options.guess absolute name that relative names are completed with when no domain is given
 */
export function importZone(
  text: string,
  options: Pick<MasterFileOptions, 'file' | 'include'> & { readonly domain?: string; readonly guess: string },
): ImportedZone {
  const { domain, guess, ...source } = options
  const { records, problems } = parseMasterFile(text, { ...source, origin: domain ?? guess })
  const soa = records.find(({ type }) => type === 'SOA')
  const apex = (domain ?? soa?.owner ?? guess).toLowerCase()
  if (apex === '.') return { value: null, notes: [], problems }
  const notes: Note[] = []
  const kept = records.filter((record) => isCarried(record, apex, notes))
  const sets = gather(kept, notes)
  const ttl = mostCommonTtl(sets)
  const written = sets.filter((set) => !isDerived(set, { apex, sets, ttl }))
  noteNameServers(written, apex, notes)
  const contact = soa === undefined ? undefined : contactOf(soa.data)
  const value: ZoneFile = {
    $schema: './node_modules/portico/portico.schema.json',
    ...(contact === undefined ? {} : { contact }),
    domains: {
      [apex.slice(0, -1)]: {
        ...(ttl === undefined ? {} : { ttl: writtenTtl(ttl) }),
        records: groupByOwner(written, apex, ttl),
      },
    },
  }
  return { value, notes: notes.toSorted((a, b) => a.line - b.line), problems }
}

/** Records of one owner and type; the place is that of the first. */
type RecordSet = Pick<MasterRecord, 'owner' | 'type' | 'ttl' | 'at'> & { readonly data: string[] }

function isCarried(record: MasterRecord, apex: string, notes: Note[]): boolean {
  const { owner, type } = record
  const name = owner.toLowerCase()
  if (type === 'SOA') {
    notes.push(noteOf(record, 'dropped', 'Portico makes the SOA itself: its serial grows with every change.'))
  } else if (name !== apex && !name.endsWith(`.${apex}`)) {
    notes.push(noteOf(record, 'not understood', `${owner} is not below ${apex} and was left out.`))
  } else if (SIGNING.has(type)) {
    const message = `Signatures hold only for the zone that was signed, so ${type} was left out. Take the DS out of the parent zone before you move.`
    notes.push(noteOf(record, 'not understood', message))
  } else return true
  return false
}

/** What a signer makes (RFC 4034, RFC 5155); keys and DS are data and stay. */
const SIGNING: ReadonlySet<string> = new Set(['RRSIG', 'NSEC', 'NSEC3', 'NSEC3PARAM'])

function gather(records: readonly MasterRecord[], notes: Note[]): RecordSet[] {
  const sets = new Map<string, RecordSet>()
  for (const record of records) {
    const owner = record.owner.toLowerCase()
    const key = `${owner} ${record.type}`
    const set = sets.get(key)
    if (set === undefined) {
      sets.set(key, { owner, type: record.type, ttl: record.ttl, at: record.at, data: [record.data] })
      continue
    }
    if (!set.data.includes(record.data)) set.data.push(record.data)
    if (record.ttl === set.ttl) continue
    const message = `Its TTL is ${record.ttl}, but records of one owner and type have one TTL (RFC 2181 §5.2); ${set.ttl} of line ${set.at.line} was taken.`
    notes.push(noteOf(record, 'assumed', message))
  }
  return [...sets.values()]
}

function mostCommonTtl(sets: readonly RecordSet[]): number | undefined {
  const byTtl = [...Map.groupBy(sets, ({ ttl }) => ttl)]
  return byTtl.sort(([, a], [, b]) => b.length - a.length)[0]?.[0]
}

/** The name server that every domain of Portico has when the file names none. */
function isDerived(
  { owner, type, data, ttl }: RecordSet,
  zone: { readonly apex: string; readonly sets: readonly RecordSet[]; readonly ttl: number | undefined },
): boolean {
  const name = `ns1.${zone.apex}`
  if (owner !== zone.apex || type !== 'NS' || ttl !== zone.ttl) return false
  const isOurs = data.length === 1 && data[0]!.toLowerCase() === name
  return isOurs && zone.sets.some((set) => set.owner === name && (set.type === 'A' || set.type === 'AAAA'))
}

function noteNameServers(sets: readonly RecordSet[], apex: string, notes: Note[]): void {
  const servers = sets.find(({ owner, type }) => owner === apex && type === 'NS')
  if (servers === undefined) return
  const message =
    'The name servers are kept as the file has them. Without NS records Portico names this machine.'
  notes.push(noteOf(servers, 'assumed', message))
}

function noteOf(
  { at, type }: Pick<MasterRecord, 'at' | 'type'>,
  level: Note['level'],
  message: string,
): Note {
  return { file: at.file, line: at.line, directive: type, level, message }
}

/** RFC 1035 §8: the first label of RNAME is the local part. Rare ones are left to the reader. */
function contactOf(soa: string): string | undefined {
  const [, rname = ''] = soa.split(' ')
  const [, user, host] = /^((?:[\w+-]|\\\.)+)\.([\w.-]+)\.$/.exec(rname) ?? []
  return user === undefined ? undefined : `${user.replaceAll('\\.', '.')}@${host}`
}

function groupByOwner(
  sets: readonly RecordSet[],
  apex: string,
  defaultTtl: number | undefined,
): RecordsConfig {
  const below = (name: string): string => (name === apex ? '@' : name.slice(0, -apex.length - 1))
  const owners = [...Map.groupBy(sets, ({ owner }) => owner)]
  owners.sort(([a], [b]) => Number(b === apex) - Number(a === apex))
  return Object.fromEntries(
    owners.map(([owner, types]) => {
      return [
        below(owner),
        Object.fromEntries(types.map((set) => [set.type, writtenSet(set, apex, defaultTtl)])),
      ]
    }),
  )
}

function writtenSet(
  { type, ttl, data }: RecordSet,
  apex: string,
  defaultTtl: number | undefined,
): RecordSetConfig {
  const written = data.map((rdata) => writtenData(type, rdata, apex))
  const all = written.length === 1 ? written[0]! : written
  if (ttl === defaultTtl) return all
  const record: RecordConfig = { data: all, ttl: writtenTtl(ttl) }
  return record
}

/** Data as people write it: a text without quotes, names without the final dot, those in the domain by their label. */
function writtenData(type: string, rdata: string, apex: string): string {
  if (type === 'TXT' || type === 'SPF') return plainText(rdata)
  const index = TARGETS[type]
  if (index === undefined || rdata.startsWith('\\#')) return rdata
  const words = rdata.split(' ')
  words[index] = writtenTarget(words[index]!, apex)
  return words.join(' ')
}

/** A single label stands below the domain, so only one that does may lose its dot. */
function writtenTarget(name: string, apex: string): string {
  const lower = name.toLowerCase()
  if (lower === apex) return '@'
  const bare = lower.slice(0, -1)
  const label = lower.endsWith(`.${apex}`) ? lower.slice(0, -apex.length - 1) : bare
  if (/^[\w-]+$/.test(label) && label !== bare) return label
  return bare.includes('.') && !bare.endsWith('\\') ? bare : lower
}

/** Only a text that reads back as the same octets goes without its quotes. */
function plainText(rdata: string): string {
  const text = /^"((?:[^"\\]|\\["\\])*)"$/.exec(rdata)?.[1]?.replace(/\\(["\\])/g, '$1')
  const isPlain = text !== undefined && !text.trimStart().startsWith('"') && quoteText(text) === rdata
  return isPlain ? text : rdata
}

/** The largest unit that leaves a whole number. */
function writtenTtl(seconds: number): TtlConfig {
  const units = [
    ['w', 604_800],
    ['d', 86_400],
    ['h', 3600],
    ['m', 60],
  ] as const
  const unit = units.find(([, size]) => seconds >= size && seconds % size === 0)
  return unit === undefined ? seconds : `${seconds / unit[1]}${unit[0]}`
}
