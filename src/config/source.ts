import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Position, Problem } from '#core/problem.ts'
import { lastIndex } from '#core/sorted.ts'

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
  const text = content.replace(/^\ufeff/, '')
  const lines = lineStarts(text)
  const place = (offset: number): Position => placeOf(file, lines, offset)
  const errors: ParseError[] = []
  const refusal = refuse(text, place)
  const root =
    refusal === undefined
      ? parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
      : undefined
  const faults = errors.map((error) => syntaxProblem(error, place(error.offset), { text, errors }))
  const problems = refusal === undefined ? firstOfLines(faults) : [refusal]
  const offsets = new Map<string, { key: number; value: number }>()
  const value = root === undefined ? undefined : plainValue(root, '', { offsets, problems, place })
  const find = (path: Path, part: 'key' | 'value'): Position => {
    for (let length = path.length; length >= 0; length--) {
      const found = offsets.get(pathKey(path.slice(0, length)))
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
  return { written, problems }
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

type Walk = {
  readonly offsets: Map<string, { key: number; value: number }>
  readonly problems: Problem[]
  readonly place: (offset: number) => Position
}

function plainValue(node: Node, path: string, walk: Walk, keyOffset: number = node.offset): unknown {
  walk.offsets.set(path, { key: keyOffset, value: node.offset })
  if (node.type === 'array') {
    return (node.children ?? []).map((child, index) => plainValue(child, `${path}\n${index}`, walk))
  }
  if (node.type !== 'object') return node.value
  // No prototype: a key such as "__proto__" is only a key.
  const object: Record<string, unknown> = Object.create(null)
  for (const property of node.children ?? []) {
    const [keyNode, valueNode] = property.children ?? []
    if (keyNode === undefined || valueNode === undefined) continue
    const key = String(keyNode.value)
    if (key in object) walk.problems.push(duplicateKey(key, walk.place(keyNode.offset)))
    object[key] = plainValue(valueNode, `${path}\n${key}`, walk, keyNode.offset)
  }
  return object
}

function pathKey(path: Path): string {
  return path.map((step) => `\n${step}`).join('')
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

/** What the parser cannot be given: it would end with the stack, or stumble over every letter. */
function refuse(text: string, place: (offset: number) => Position): Problem | undefined {
  const nul = text.indexOf('\0')
  if (nul !== -1) return syntaxFault(place(nul), 'the file is no text in UTF-8', 'save it as UTF-8')
  let depth = 0
  for (const { 0: token, index } of text.matchAll(/"(?:\\.|[^"\\])*"|\/\/.*|\/\*[\s\S]*?\*\/|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth > DEPTH_LIMIT)
      return syntaxFault(place(index), `it is deeper than ${DEPTH_LIMIT} objects and lists`, 'close some')
  }
  return undefined
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

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

function placeOf(file: string, lines: readonly number[], offset: number): Position {
  const line = lastIndex(lines, (start) => start <= offset)
  return { file, line: line + 1, column: offset - lines[line]! + 1 }
}
