import type { Token } from './scan.ts'

/** Records that one $GENERATE may make. */
const GENERATE_LIMIT = 65_536
const LAST = 2 ** 31 - 1

/**
 * Make the entries of a $GENERATE line, the extension of BIND: `$GENERATE 1-10/2 host-$ A 192.0.2.$`.
 *
 * In owner and data `$` is the number of the entry, `${offset,width,base}` the number written otherwise (base d, o, x
 * or X; n or N: nibbles in reverse), `\$` the character.
 *
 * @param words behind the directive
 * @returns the words of each entry in order, or what is wrong
 */
export function generateEntries(words: readonly Token[]): Iterable<readonly Token[]> | string {
  const [range, ...template] = words
  const [, first, last, step = '1'] = /^(\d{1,10})-(\d{1,10})(?:\/(\d{1,10}))?$/.exec(range?.text ?? '') ?? []
  if (first === undefined || last === undefined || template.length < 3)
    return '$GENERATE takes a range such as 1-10 or 1-10/2, an owner, a type and data'
  const [from, to, by] = [Number(first), Number(last), Number(step)]
  if (from > to || to > LAST || by < 1) return `$GENERATE has the range ${range!.text}, which has no numbers`
  const count = Math.floor((to - from) / by) + 1
  if (count > GENERATE_LIMIT) return `$GENERATE makes ${count} records, and ${GENERATE_LIMIT} is the most`
  const broken = template.find(({ text }) => typeof fill(text, from) !== 'string')
  if (broken !== undefined) return `$GENERATE has ${broken.text}; $, \${offset,width,base} or \\$ is wanted`
  return entries(template, { from, to, by })
}

function* entries(
  template: readonly Token[],
  { from, to, by }: { readonly from: number; readonly to: number; readonly by: number },
): Generator<readonly Token[]> {
  for (let number = from; number <= to; number += by)
    yield template.map((token) => ({ ...token, text: fill(token.text, number) ?? token.text }))
}

/** Undefined where a `${` is no form of a number. */
function fill(text: string, number: number): string | undefined {
  let isBroken = false
  const filled = text.replace(/\\[\s\S]|\$\$|\$\{([^}]*)\}?|\$/g, (found, inside?: string) => {
    if (found === '$$') return '\\$'
    if (found.startsWith('\\')) return found
    const written = inside === undefined ? String(number) : print(inside, number)
    isBroken ||= written === undefined
    return written ?? ''
  })
  return isBroken ? undefined : filled
}

function print(form: string, number: number): string | undefined {
  const [, offset, width = '0', base = 'd'] = /^(-?\d{1,9})(?:,(\d{1,2})(?:,([doxXnN]))?)?$/.exec(form) ?? []
  const value = number + Number(offset)
  if (offset === undefined || value < 0) return undefined
  if (base === 'n' || base === 'N') return nibbles(value, Number(width), base === 'N')
  const text = value
    .toString({ d: 10, o: 8, x: 16, X: 16 }[base as 'd' | 'o' | 'x' | 'X'])
    .padStart(Number(width), '0')
  return base === 'X' ? text.toUpperCase() : text
}

/** Digits of the number from the last on, each a label: for reverse zones of IPv6; the width counts the dots, too: an even one ends with a dot. */
function nibbles(value: number, width: number, isUpper: boolean): string {
  const digits = value.toString(16).padStart(Math.ceil(width / 2), '0')
  const text = [...digits].reverse().join('.').padEnd(width, '.')
  return isUpper ? text.toUpperCase() : text
}
