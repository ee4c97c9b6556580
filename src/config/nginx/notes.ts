import type { Directive } from './parse.ts'
import { reasonFor } from './reasons.ts'

/** What did not come over as it was. `host` is the name it concerns, when it concerns one. */
export type Note = {
  readonly file: string
  readonly line: number
  readonly directive: string
  readonly level: NoteLevel
  readonly message: string
  readonly host?: string
}

/**
 * `dropped`: Portico does it anyway, or it has no meaning here. `assumed`: carried over, with a difference to
 * know of. `not understood`: lost, look at it.
 */
export type NoteLevel = 'dropped' | 'not understood' | 'assumed'

/**
 * What became of each directive, so that none is lost without a word: converting takes or notes it, and the
 * sweep at the end notes all the rest.
 */
export type Ledger = {
  readonly notes: Note[]
  /** place and message of each note: a server with many names is read once a name */
  readonly said: Set<string>
  /** carried over; what stands inside a taken block answers for itself */
  readonly taken: Set<Directive>
  /** noted, with everything inside */
  readonly noted: Set<Directive>
  /** the host that a server block is about */
  readonly hosts: Map<Directive, string>
}

/** An empty ledger for one import. */
export function createLedger(): Ledger {
  return { notes: [], said: new Set(), taken: new Set(), noted: new Set(), hosts: new Map() }
}

/** Say that a directive is carried over. */
export function take<T extends Directive | undefined>(ledger: Ledger, directive: T): T {
  if (directive !== undefined) ledger.taken.add(directive)
  return directive
}

export type Remark = {
  readonly level: NoteLevel
  readonly message: string
  readonly host?: string | undefined
}

/** Say what became of a directive, and of everything in its block. */
export function note(ledger: Ledger, directive: Directive, { level, message, host }: Remark): void {
  ledger.noted.add(directive)
  remark(ledger, directive, { level, message, host })
}

/** Add a note to a directive whose inner directives answer for themselves. */
export function remark(ledger: Ledger, directive: Directive, { level, message, host }: Remark): void {
  const { file, line } = directive.at
  const key = `${file}:${line} ${directive.name} ${message}`
  if (ledger.said.has(key)) return
  ledger.said.add(key)
  const about = host === undefined ? {} : { host }
  ledger.notes.push({ file, line, directive: directive.name, level, message, ...about })
}

/** Note every directive that nobody has taken or noted. */
export function sweep(ledger: Ledger, directives: readonly Directive[], host?: string): void {
  for (const directive of directives) {
    if (ledger.noted.has(directive)) continue
    const about = ledger.hosts.get(directive) ?? host
    if (ledger.taken.has(directive)) sweep(ledger, directive.block ?? [], about)
    else note(ledger, directive, { ...reasonFor(directive), host: about })
  }
}
