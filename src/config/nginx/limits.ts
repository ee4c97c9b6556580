import { formatSize } from '#core/units.ts'
import { type Ledger, remark, take } from './notes.ts'
import type { Directive } from './parse.ts'

/**
 * The largest `client_max_body_size`, as `limits.http.body` is written; undefined when none stands.
 *
 * nginx bounds each server and location, Portico all hosts alike.
 */
export function readBodyLimit(http: readonly Directive[], ledger: Ledger): string | undefined {
  const sizes = everywhere(http, 'client_max_body_size').flatMap((directive) => {
    const octets = readSize(directive.args[0] ?? '')
    if (octets === undefined) return []
    take(ledger, directive)
    remark(ledger, directive, {
      level: 'assumed',
      message: 'The largest of these bounds bodies for all hosts.',
    })
    return [octets]
  })
  return sizes.length === 0 ? undefined : formatSize(sizes.reduce((most, size) => Math.max(most, size)))
}

function everywhere(directives: readonly Directive[], name: string): Directive[] {
  return directives.flatMap((directive) =>
    directive.name === name ? [directive] : everywhere(directive.block ?? [], name),
  )
}

/** nginx writes 8k, 50m and 1g in powers of two; 0 is no bound, which Portico does not have. */
export function readSize(text: string): number | undefined {
  const match = /^(\d{1,12})([kmg]?)$/i.exec(text)
  if (match === null) return undefined
  const octets = Number(match[1]) * 1024 ** ' kmg'.indexOf(match[2]!.toLowerCase() || ' ')
  return octets === 0 || octets > LARGEST ? undefined : octets
}

/** The most that `limits.http.body` may say. */
const LARGEST = 2 ** 44
