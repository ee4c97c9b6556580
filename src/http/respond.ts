import type { Handler, ResponseHead } from './exchange.ts'
import type { ActionPlan } from './plan.ts'
import { fieldsOf, NameSet } from './wire/fields.ts'

export type RespondPlan = Extract<ActionPlan, { kind: 'respond' }>

/** Create the handler that always gives the same answer, whatever the method. */
export function createRespond(action: RespondPlan): Handler {
  const mayHaveContent = action.status !== 204 && action.status !== 205 && action.status !== 304
  const body = Buffer.from(mayHaveContent ? action.body : '')
  const fields = fieldsOf(action.fields.filter(([name]) => !FRAMING.has(name, 0, name.length)))
  const head: ResponseHead = { status: action.status, fields, lengthOctets: body.length }
  return (exchange) => {
    exchange.note.answeredBy = 'respond'
    exchange.respond(head, body)
  }
}

/** Fields that are the connection's to write (RFC 9110 §7.6.1, §8.6). */
export const FRAMING: NameSet = new NameSet([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
