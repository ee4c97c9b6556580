import { type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Position, Problem } from '#core/problem.ts'
import { lastIndex } from '#core/sorted.ts'
import { outline } from './outline.ts'
import { Places } from './places.ts'

/** Keys and indexes from the root of the file to a value. */
export type Path = readonly (string | number)[]

/** What was written, and where each part of it stands. */
export type Written = {
  readonly file: string
  readonly value: unknown
  /** Position of a value, or of the nearest part above it that was written. */
  at(path: Path): Position
  /** Position of the key that leads to a value; of the value itself when it stands in a list. */
  keyAt(path: Path): Position
}

/** Objects and lists in one another; the deepest setting takes 10. */
const DEPTH_LIMIT = 100

/**
 * Read JSON with comments and trailing commas, keeping positions.
 *
 * @param content of the file; a byte order mark before it is passed over (RFC 8259 §8.1)
 * @returns what was written, `undefined` as value when there is none, and the first fault of syntax in each line
 */
export function readSource(file: string, content: string): { written: Written; problems: Problem[] } {
  const text = content.startsWith('\ufeff') ? content.slice(1) : content
  const place = placesIn(file, text)
  const outlined = outline(text, DEPTH_LIMIT)
  const { tooDeepAt } = outlined
  const tooDeep = `it is deeper than ${DEPTH_LIMIT} objects and lists`
  if (tooDeepAt !== -1) return unread(file, [syntaxFault(place(tooDeepAt), tooDeep, 'close some')])
  const value = parsed(outlined.plain)
  if (value === undefined) return unread(file, syntaxProblems(text, place))
  const places = new Places(outlined)
  const find = (path: Path, part: 'key' | 'value'): Position => {
    for (let length = path.length; length >= 0; length--) {
      const found = places.find(length === path.length ? path : path.slice(0, length))
      if (found !== undefined) return place(found[length === path.length ? part : 'value'])
    }
    return { file, line: 1, column: 1 }
  }
  const written = {
    file,
    value,
    at: (path: Path) => find(path, 'value'),
    keyAt: (path: Path) => find(path, 'key'),
  }
  // JSON.parse takes the last of several keys and drops the others.
  const isWhole = countValues(value) === outlined.count
  const doubles = isWhole ? [] : places.duplicates()
  return { written, problems: doubles.map(({ key, offset }) => duplicateKey(key, place(offset))) }
}

/**
 * Take the same object from a program: there is no text, so a position is the path.
 *
 * @example objectSource({ domains: {} }).at(['domains']) // { file: 'config.domains', line: 0, column: 0 }
 */
export function objectSource(value: unknown): Written {
  const at = (path: Path): Position => ({ file: ['config', ...path].join('.'), line: 0, column: 0 })
  return { file: 'config', value: structuredClone(value), at, keyAt: at }
}

/** What JSON stands for; undefined when it is none. */
function parsed(plain: string): unknown {
  try {
    return JSON.parse(plain)
  } catch {
    return undefined
  }
}

/** A file that nothing could be read from. */
function unread(file: string, problems: Problem[]): { written: Written; problems: Problem[] } {
  const at = (): Position => ({ file, line: 1, column: 1 })
  return { written: { file, value: undefined, at, keyAt: at }, problems }
}

/** How many values stand in one, itself among them. */
function countValues(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const key in value) count += countValues((value as Record<string, unknown>)[key])
  return count
}

function duplicateKey(key: string, at: Position): Problem {
  return {
    level: 'error',
    code: 'config/duplicate-key',
    at,
    message: `"${key}" stands twice in the same object; only one of them could hold.`,
    fix: `join the two, or remove one "${key}"`,
  }
}

/** Why a text is no JSON with comments. */
function syntaxProblems(text: string, place: (offset: number) => Position): Problem[] {
  // The parser would stumble over every letter.
  const nul = text.indexOf('\0')
  if (nul !== -1) return [syntaxFault(place(nul), 'the file is no text in UTF-8', 'save it as UTF-8')]
  const errors: ParseError[] = []
  parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  return firstOfLines(errors.map((error) => syntaxProblem(error, place(error.offset), { text, errors })))
}

type Parsed = { readonly text: string; readonly errors: readonly ParseError[] }

function syntaxProblem(fault: ParseError, at: Position, { text, errors }: Parsed): Problem {
  const code = printParseErrorCode(fault.error)
  const [what, fix] = SYNTAX[code] ?? ['it cannot be read here', 'see the place']
  const word = text.slice(fault.offset, fault.offset + fault.length)
  if (code === 'InvalidSymbol' && word.startsWith('#'))
    return syntaxFault(at, 'a comment begins with two slashes', '//')
  if (code === 'InvalidSymbol')
    return syntaxFault(at, what, JSON.stringify(word.replace(/^['`‘’“”]|['`‘’“”]$/gu, '')))
  if (!CLOSERS.has(code)) return syntaxFault(at, what, fix)
  // Where the file ends too early, everything that is open ends there.
  const open = errors.filter(({ offset }) => offset === fault.offset).map(({ error }) => error)
  const closers = open.map(printParseErrorCode).filter((name) => CLOSERS.has(name))
  return syntaxFault(at, what, closers.map((name) => SYNTAX[name]![1]).join(' '))
}

function syntaxFault(at: Position, what: string, fix: string): Problem {
  const message = `This is not JSON with comments (RFC 8259): ${what}.`
  return { level: 'error', code: 'config/syntax', at, message, fix }
}

/** What the parser stumbles over later in a line mostly follows from the first fault there. */
function firstOfLines(problems: readonly Problem[]): Problem[] {
  const seen = new Set<number>()
  return problems.filter(({ at }) => {
    const isFirst = !seen.has(at.line)
    seen.add(at.line)
    return isFirst
  })
}

const CLOSERS: ReadonlySet<string> = new Set(['CloseBraceExpected', 'CloseBracketExpected'])

const COMMENT = ['a comment does not end', 'end it with */'] as const

/** What the parser stumbled over, by its own words, and what to write. */
const SYNTAX: Readonly<Record<string, readonly [what: string, fix: string]>> = {
  InvalidSymbol: ['a word stands without quotes', '"word"'],
  InvalidNumberFormat: ['a number is not written as JSON writes it', '8081 or 0.5'],
  PropertyNameExpected: ['a key in quotes is wanted', '"key": …'],
  ValueExpected: ['a value is wanted', '"text", 8081, true, [ ] or { }'],
  ColonExpected: ['a colon is wanted between key and value', ':'],
  CommaExpected: ['a comma is wanted between two values', ','],
  CloseBraceExpected: ['an object does not end', '}'],
  CloseBracketExpected: ['a list does not end', ']'],
  EndOfFileExpected: ['something stands after the end', 'remove it, or the bracket that ends too early'],
  InvalidCommentToken: COMMENT,
  UnexpectedEndOfComment: COMMENT,
  UnexpectedEndOfString: ['a text does not end', '"'],
  UnexpectedEndOfNumber: ['a number does not end', '8081 or 0.5'],
  InvalidUnicode: ['an escape lacks its four hexadecimal digits', '\\u00e9'],
  InvalidEscapeCharacter: ['a backslash stands before a character that has no escape', '\\\\'],
  InvalidCharacter: ['a control character stands in a text', '\\n or \\t'],
}

/** Lines and columns of offsets. Who asks in the order of the text, as nearly all do, is answered at once. */
function placesIn(file: string, text: string): (offset: number) => Position {
  let lines: number[] | undefined
  let line = 0
  return (offset) => {
    const starts = (lines ??= lineStarts(text))
    for (let step = 0; step < STEPS && starts[line]! <= offset && starts[line + 1]! <= offset; step++) line++
    if (starts[line]! > offset || starts[line + 1]! <= offset)
      line = lastIndex(starts, (start) => start <= offset)
    return { file, line: line + 1, column: offset - starts[line]! + 1 }
  }
}

/** Lines that are looked at one after the other before all are searched. */
const STEPS = 4

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}
