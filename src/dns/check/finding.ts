import type { Position, Problem } from '#core/problem.ts'
import type { Names, Types } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { parseRdata } from '../wire/rdata.ts'
import { TYPE } from '../wire/types.ts'

/** What a rule about one owner looks at. */
export type OwnerNode = {
  /** absolute, lower case */
  readonly owner: string
  readonly apex: string
  readonly types: Types
  readonly names: Names
}

/** Say that something in a zone is wrong. */
export function problem(code: string, at: Position, message: string, fix: string): Problem {
  return { level: 'error', code, at, message, fix }
}

/** Say that something in a zone may be wrong, or does less than it seems to. */
export function warning(code: string, at: Position, message: string, fix: string): Problem {
  return { level: 'warning', code, at, message, fix }
}

/** A name as people write it: without the final dot. */
export function say(name: string): string {
  return name === '.' ? '.' : name.replace(/\.$/, '')
}

/** Nearly all are one string without escapes. */
const ONE_STRING = /^"[^"\\]*"$/

/** A record of TXT or SPF as its readers see it: its strings joined without a space (RFC 7208 §3.3). */
export function textOf({ data }: RecordDraft): string {
  if (ONE_STRING.test(data)) return data.slice(1, -1)
  const rdata = parseRdata(TYPE.TXT, data)
  if (typeof rdata === 'string') return ''
  const { wire } = rdata
  let text = ''
  for (let at = 0; at < wire.length; at += 1 + wire[at]!)
    text += Buffer.from(wire.subarray(at + 1, at + 1 + wire[at]!)).toString('latin1')
  return text
}

/** TXT records of an owner, with their texts. */
export function textsOf(types: Types): { readonly draft: RecordDraft; readonly text: string }[] {
  return (types.get('TXT') ?? []).map((draft) => ({ draft, text: textOf(draft) }))
}
