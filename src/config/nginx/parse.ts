import type { Position, Problem } from '#core/problem.ts'
import { Fault, Reader, type Word } from './tokens.ts'

/** One statement of an nginx file. `block` is null for one that ends with `;`, and empty for Lua code. */
export type Directive = {
  readonly name: string
  readonly args: readonly string[]
  readonly at: Position
  readonly block: readonly Directive[] | null
}

export type ParsedNginx = { readonly directives: readonly Directive[]; readonly problems: readonly Problem[] }

/** Blocks in blocks: nginx itself nests five or six deep (http, server, location, location, if). */
const LIMITS = { depth: 32, directives: 200_000 } as const

/**
 * Read nginx configuration text as nginx itself does, without knowing what any directive means.
 *
 * @param text the whole file, or a snippet of one
 * @param file name for positions
 * @returns the directives up to the first fault, and that fault as the only problem
 * @example parseNginx('listen 80;', 'site.conf').directives[0] // { name: 'listen', args: ['80'], … }
 */
export function parseNginx(text: string, file: string): ParsedNginx {
  const directives: Directive[] = []
  try {
    readBlock({ reader: new Reader(text, file), count: 0 }, directives, null, 0)
    return { directives, problems: [] }
  } catch (fault) {
    if (!(fault instanceof Fault)) throw fault
    const { at, message, fix } = fault
    return { directives, problems: [{ level: 'error', code: 'import/nginx-syntax', at, message, fix }] }
  }
}

type Reading = { readonly reader: Reader; count: number }

/** Reads into `directives`, so that what stands before a fault is kept. */
function readBlock(reading: Reading, directives: Directive[], opened: Position | null, depth: number): void {
  const { reader } = reading
  for (;;) {
    const first = reader.next()
    if (first.kind === 'end') {
      if (opened === null) return
      throw new Fault(`The block opened on line ${opened.line} has no end.`, opened, 'close it with "}"')
    }
    if (first.kind === '}') {
      if (opened !== null) return
      throw new Fault('"}" stands here, but no block is open.', first.at, 'take the "}" away')
    }
    if (first.kind !== 'word') {
      throw new Fault(`"${first.kind}" stands where a directive should begin.`, first.at, 'take it away')
    }
    if (++reading.count > LIMITS.directives) {
      throw new Fault(
        `The file has more than ${LIMITS.directives} directives.`,
        first.word.at,
        'import it in parts',
      )
    }
    directives.push(readDirective(reading, first.word, depth))
  }
}

function readDirective(reading: Reading, first: Word, depth: number): Directive {
  const { reader } = reading
  const args: string[] = []
  const base = { name: first.text, args, at: first.at }
  for (;;) {
    const token = reader.next()
    switch (token.kind) {
      case 'word':
        args.push(token.word.text)
        break
      case ';':
        return { ...base, block: null }
      case '{': {
        if (depth + 1 > LIMITS.depth) {
          throw new Fault(
            `Blocks are nested more than ${LIMITS.depth} deep.`,
            token.at,
            'import the inner part alone',
          )
        }
        const block: Directive[] = []
        if (!first.text.endsWith('_by_lua_block')) readBlock(reading, block, first.at, depth + 1)
        else if (!reader.skipLua())
          throw new Fault('The Lua block has no end.', first.at, 'close it with "}"')
        return { ...base, block }
      }
      default:
        throw new Fault(
          `"${first.text}" has no end.`,
          first.at,
          `write ";" after "${[first.text, ...args].join(' ')}"`,
        )
    }
  }
}
