import { randomUUID } from 'node:crypto'
import type { Exchange, ExchangeNote, ResponseHead } from '../exchange.ts'
import { type Fields, fieldsOf, joinFields, NameSet, withoutFields } from '../wire/fields.ts'
import { Passing, type Step } from './passing.ts'
import type { FieldRule } from './plan.ts'
import { compileTemplate, type Template, type VariableScope } from './variables.ts'

/** Remove, set and add fields of requests: what is set or added goes to the origin only. */
export function changeRequestFields(rules: readonly FieldRule[]): Step {
  const { removed, pairs } = compile(rules)
  const isFixed = pairs.every(({ template }) => template.isFixed)
  // The same object, so that a head that was written for it serves again.
  let fixed: Fields | undefined
  return (exchange) => {
    const { request } = exchange
    const scope: VariableScope = { request, requestId: () => requestId(exchange.note) }
    const own = fixed ?? fieldsOf(filled(pairs, scope))
    if (isFixed) fixed = own
    return new Passing(exchange, {
      ...request,
      fields: withoutFields(request.fields, removed),
      fieldsForOrigin: request.fieldsForOrigin === undefined ? own : joinFields(request.fieldsForOrigin, own),
    })
  }
}

/** Remove, set and add fields of responses. */
export function changeResponseFields(rules: readonly FieldRule[]): Step {
  const { removed, pairs } = compile(rules)
  return (exchange) => {
    const { request } = exchange
    return new Passing(exchange, request, (head, body) => {
      const scope: VariableScope = { request, requestId: () => requestId(exchange.note) }
      return {
        head: { ...head, fields: joinFields(withoutFields(head.fields, removed), filled(pairs, scope)) },
        body,
      }
    })
  }
}

/** Fields that tell browsers to be careful, where the response does not say otherwise. */
export const secureResponse: Step = (exchange: Exchange) => {
  const { request } = exchange
  // RFC 6797 §7.2: it means nothing over plain HTTP. A laptop's names keep their ports, which it would not.
  const isStrict = request.client.secure && !request.host.endsWith('.localhost')
  const wanted = isStrict ? [STRICT, ...CAREFUL] : CAREFUL
  return new Passing(exchange, request, (head, body) => ({ head: withMissing(head, wanted), body }))
}

/** RFC 6797 §6.1: a year. Hosts below are not included: the file may not speak for all of them. */
const STRICT = ['Strict-Transport-Security', 'max-age=31536000'] as const

const CAREFUL: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  // RFC 7034 §2.1
  ['X-Frame-Options', 'SAMEORIGIN'],
]

function withMissing(head: ResponseHead, wanted: readonly (readonly [string, string])[]): ResponseHead {
  const missing = wanted.filter(([name]) => head.fields.get(name.toLowerCase()) === undefined)
  return missing.length === 0 ? head : { ...head, fields: joinFields(head.fields, missing) }
}

type Pair = { readonly name: string; readonly template: Template }

type Compiled = {
  /** names whose lines go away: what is set replaces */
  readonly removed: NameSet
  readonly pairs: readonly Pair[]
}

/** Of two rules that set one field, the later counts. */
function compile(rules: readonly FieldRule[]): Compiled {
  let pairs: Pair[] = []
  for (const rule of rules) {
    if (rule.action !== 'add') {
      pairs = pairs.filter(({ name }) => name.toLowerCase() !== rule.name.toLowerCase())
    }
    if (rule.action !== 'remove') pairs.push({ name: rule.name, template: compileTemplate(rule.value) })
  }
  const removing = rules.filter(({ action }) => action !== 'add')
  return { removed: new NameSet(removing.map(({ name }) => name)), pairs }
}

function filled(pairs: readonly Pair[], scope: VariableScope): [string, string][] {
  return pairs.map(({ name, template }) => [name, template.fill(scope)])
}

/** The id that log and trace have too; made when nobody has asked for it before. */
function requestId(note: ExchangeNote): string {
  note.requestId ||= randomUUID()
  return note.requestId
}
