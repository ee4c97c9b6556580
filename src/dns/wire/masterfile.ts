import type { Position, Problem } from '#core/problem.ts'
import { generateEntries } from './generate.ts'
import { parseName, printName } from './name.ts'
import { asBuffer } from './octets.ts'
import { parseRdataTokens, printRdata } from './rdata.ts'
import { type Entry, Scanner, type Token } from './scan.ts'
import { showText } from './text.ts'
import { parseTtl, TTL_LIMIT } from './ttl.ts'
import { CLASS, className, classNumber, isMetaType, TYPE, typeName, typeNumber } from './types.ts'

/** A record of a master file, whole: nothing in it depends on the lines before. */
export type MasterRecord = {
  /** absolute, in presentation form, case as written */
  readonly owner: string
  /** seconds */
  readonly ttl: number
  /** mnemonic or `TYPE65280` */
  readonly type: string
  /** rdata in presentation form with absolute names */
  readonly data: string
  readonly at: Position
}

export type MasterFileOptions = {
  /** absolute name that completes relative names until a $ORIGIN: the apex of the zone */
  readonly origin: string
  /** how the file is called in positions */
  readonly file: string
  /**
   * What $INCLUDE names: its text and how it is called in positions, or a text that says why it cannot be had.
   * Without it $INCLUDE is a problem.
   */
  readonly include?: (
    path: string,
    from: Position,
  ) => { readonly file: string; readonly text: string } | string
}

/** A file that includes itself must end. */
const INCLUDE_DEPTH_LIMIT = 8
/** 8 levels of files that include others many times must end, too. */
const INCLUDE_COUNT_LIMIT = 1000

/**
 * Read a master file (RFC 1035 §5): $ORIGIN, $INCLUDE, $TTL (RFC 2308 §4), generic records (RFC 3597 §5), and
 * $GENERATE as BIND has it.
 *
 * A line that cannot be read is a problem, and the lines after it are read on.
 *
 * @param text of the file
 * @returns all records in the order of the file, class IN, and every problem
 * @example parseMasterFile('www 1h IN A 192.0.2.1', { origin: 'example.com.', file: 'example.com.zone' })
 */
export function parseMasterFile(
  text: string,
  { origin, file, include }: MasterFileOptions,
): { records: MasterRecord[]; problems: Problem[] } {
  const wireOrigin = parseName(origin)
  if (typeof wireOrigin === 'string') throw new RangeError(`The origin of ${file}: ${wireOrigin}`)
  const reader = new MasterFileReader(include)
  reader.readFile({ text, file, origin: wireOrigin, owner: undefined, depth: 0 })
  return { records: reader.records, problems: reader.problems }
}

/** One file with what its lines take from those before: an included file changes neither for its parent. */
type Source = {
  readonly text: string
  readonly file: string
  readonly depth: number
  origin: Uint8Array
  owner: Uint8Array | undefined
}

class MasterFileReader {
  readonly records: MasterRecord[] = []
  readonly problems: Problem[] = []
  readonly #include: MasterFileOptions['include']
  #includes = 0
  /** of the last $TTL */
  #defaultTtl: number | undefined
  /** of the last record that stated one (RFC 1035 §5.1) */
  #lastTtl: number | undefined
  #source!: Source

  constructor(include: MasterFileOptions['include']) {
    this.#include = include
  }

  readFile(source: Source): void {
    const parent = this.#source
    this.#source = source
    const scanner = new Scanner(source.text)
    for (let entry = scanner.next(); entry !== undefined; entry = scanner.next()) {
      const problem = entry.fault ? this.#readFault(entry, entry.fault) : this.#readEntry(entry)
      if (problem) this.problems.push(problem)
    }
    this.#source = parent
  }

  #readFault({ indented }: Entry, fault: NonNullable<Entry['fault']>): Problem {
    if (!indented) this.#source.owner = undefined
    return this.#error(fault, 'syntax', fault.message)
  }

  #readEntry(entry: Entry): Problem | undefined {
    const [first, ...words] = entry.tokens as [Token, ...Token[]]
    if (entry.indented || first.quoted || !first.text.startsWith('$')) return this.#readRecord(entry)
    const directive = first.text.toUpperCase()
    if (directive === '$ORIGIN') return this.#readOrigin(first, words)
    if (directive === '$TTL') return this.#readTtl(first, words)
    if (directive === '$INCLUDE') return this.#readInclude(first, words)
    if (directive === '$GENERATE') return this.#readGenerate(first, words)
    return this.#error(
      first,
      'directive',
      `${showText(first.text)} is no directive; $ORIGIN, $TTL, $INCLUDE and $GENERATE are`,
    )
  }

  #readOrigin(at: Token, [word, ...more]: readonly Token[]): Problem | undefined {
    const isOne = word !== undefined && more.length === 0
    const origin = isOne ? parseName(word.text, this.#source.origin) : '$ORIGIN takes one domain name'
    if (typeof origin === 'string') return this.#error(word ?? at, 'origin', origin)
    this.#source.origin = origin
    return undefined
  }

  #readTtl(at: Token, [word, ...more]: readonly Token[]): Problem | undefined {
    const ttl = word && more.length === 0 ? parseTtl(word.text) : undefined
    if (ttl === undefined)
      return this.#error(word ?? at, 'ttl', '$TTL takes seconds, or a period such as 1h30m')
    if (ttl > TTL_LIMIT) return this.#ttlError(word!, ttl)
    this.#defaultTtl = ttl
    return undefined
  }

  #readInclude(at: Token, [path, originWord, ...more]: readonly Token[]): Problem | undefined {
    const included = this.#findInclude(path, more.length)
    const origin = originWord ? parseName(originWord.text, this.#source.origin) : this.#source.origin
    if (typeof included === 'string') return this.#error(path ?? at, 'include', included)
    if (typeof origin === 'string') return this.#error(originWord ?? at, 'origin', origin)
    const { owner, depth } = this.#source
    this.readFile({ ...included, origin, depth: depth + 1, owner })
    return undefined
  }

  /** The first entry that cannot be read ends it: the others would be wrong in the same way. */
  #readGenerate(at: Token, words: readonly Token[]): Problem | undefined {
    const entries = generateEntries(words)
    if (typeof entries === 'string') return this.#error(words[0] ?? at, 'generate', entries)
    for (const tokens of entries) {
      const problem = this.#readRecord({ tokens, indented: false, commented: false })
      if (problem !== undefined) return problem
    }
    return undefined
  }

  #findInclude(path: Token | undefined, surplus: number): { file: string; text: string } | string {
    if (path === undefined || surplus > 0) return '$INCLUDE takes a file and at most one domain name'
    if (this.#source.depth === INCLUDE_DEPTH_LIMIT) {
      return `Files include each other more than ${INCLUDE_DEPTH_LIMIT} deep`
    }
    if (this.#includes++ >= INCLUDE_COUNT_LIMIT) return `More than ${INCLUDE_COUNT_LIMIT} files are included`
    return this.#include?.(path.text, this.#position(path)) ?? 'Files cannot be included here'
  }

  #readRecord({ tokens, indented }: Entry): Problem | undefined {
    const at = tokens[0]!
    const owner = indented ? this.#source.owner : parseName(at.text, this.#source.origin)
    if (owner === undefined) {
      return this.#error(at, 'owner', 'The line begins with a blank, but no line before it names an owner')
    }
    // A line that cannot be read must not leave the lines below it to the owner above.
    this.#source.owner = typeof owner === 'string' ? undefined : owner
    if (typeof owner === 'string') return this.#error(at, 'owner', owner)
    const { ttl, class: rclass = CLASS.IN, rest } = readHead(indented ? tokens : tokens.slice(1))
    const [typeWord = at, ...words] = rest
    const type = rest.length > 0 ? typeNumber(typeWord.text) : undefined
    if (type === undefined || isMetaType(type)) {
      const written =
        rest.length > 0 ? `${showText(typeWord.text)} is no type that a zone holds` : 'The type is missing'
      return this.#error(typeWord, 'type', `${written}; A and TYPE65280 are`)
    }
    if (rclass !== CLASS.IN) {
      return this.#error(at, 'class', `The class is ${className(rclass)}, and only IN is read`)
    }
    const rdata = parseRdataTokens(type, words, this.#source.origin)
    if (typeof rdata === 'string') return this.#error(words[0] ?? typeWord, 'rdata', rdata)
    if (rdata.split) this.problems.push(this.#splitWarning(words[0]!, type))
    return this.#add(at, owner, type, rdata.wire, ttl)
  }

  #add(
    at: Token,
    owner: Uint8Array,
    type: number,
    rdata: Uint8Array,
    statedTtl: number | undefined,
  ): Problem | undefined {
    const soaMinimum = type === TYPE.SOA ? asBuffer(rdata).readUInt32BE(rdata.length - 4) : undefined
    const ttl = statedTtl ?? this.#defaultTtl ?? this.#lastTtl ?? soaMinimum
    if (ttl === undefined)
      return this.#error(at, 'ttl', 'No TTL is stated here or before; a line "$TTL 3600" would do')
    if (ttl > TTL_LIMIT) return this.#ttlError(at, ttl)
    if (statedTtl !== undefined || ttl === soaMinimum) this.#lastTtl = ttl
    this.records.push({
      owner: printName(owner),
      ttl,
      type: typeName(type),
      data: printRdata(type, rdata),
      at: this.#position(at),
    })
    return undefined
  }

  #ttlError(at: Place, ttl: number): Problem {
    return this.#error(at, 'ttl', `The TTL is ${ttl}, and ${TTL_LIMIT} is the most (RFC 2181 §8)`)
  }

  #splitWarning(at: Place, type: number): Problem {
    const message = `A text of ${typeName(type)} is longer than 255 octets and becomes several (RFC 1035 §3.3).`
    return { level: 'warning', code: 'dns/text-split', at: this.#position(at), message }
  }

  #error(at: Place, what: string, message: string): Problem {
    return { level: 'error', code: `dns/master-file-${what}`, at: this.#position(at), message: `${message}.` }
  }

  #position({ line, column }: Place): Position {
    return { file: this.#source.file, line, column }
  }
}

type Place = { readonly line: number; readonly column: number }

/** TTL and class, both optional, in either order (RFC 1035 §5.1). */
function readHead(tokens: readonly Token[]): { ttl?: number; class?: number; rest: readonly Token[] } {
  const head: { ttl?: number; class?: number } = {}
  let at = 0
  for (; at < tokens.length; at++) {
    const ttl = parseTtl(tokens[at]!.text)
    const rclass = classNumber(tokens[at]!.text)
    if (ttl !== undefined && head.ttl === undefined) head.ttl = ttl
    else if (rclass !== undefined && head.class === undefined) head.class = rclass
    else break
  }
  return { ...head, rest: tokens.slice(at) }
}
