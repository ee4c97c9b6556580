import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Position, Problem } from '#core/problem.ts'

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

/**
 * Read JSON with comments and trailing commas, keeping positions.
 *
 * @returns what was written, `undefined` as value when there is none, and every fault of syntax
 */
export function readSource(file: string, text: string): { written: Written; problems: Problem[] } {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, disallowComments: false })
  const lines = lineStarts(text)
  const place = (offset: number): Position => placeOf(file, lines, offset)
  const problems = errors.map((error) => syntaxProblem(error, place(error.offset)))
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

function syntaxProblem({ error }: ParseError, at: Position): Problem {
  const [what, fix] = SYNTAX[printParseErrorCode(error)] ?? ['it cannot be read here', 'see the place']
  const message = `This is not JSON with comments (RFC 8259): ${what}.`
  return { level: 'error', code: 'config/syntax', at, message, fix }
}

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
  let low = 0
  let high = lines.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (lines[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return { file, line: low + 1, column: offset - lines[low]! + 1 }
}
