import { formatSize } from '#core/units.ts'
import { mediaTypeOf } from '#files/media-type.ts'
import type { ResponseHead } from '#http/exchange.ts'
import type { ActionPlan, RoutePlan } from '#http/plan.ts'
import { deliver } from '#http/transform/deliver.ts'
import { type EncodeReason, encode } from '#http/transform/encode.ts'
import type { TransformPlan } from '#http/transform/plan.ts'
import { rewrite } from '#http/transform/rewrite.ts'
import { createTrust } from '#http/trust.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { pathOf } from '#http/wire/path.ts'
import { fault, type Step, step } from './step.ts'

/** What happens on the way to what answers: each option that the route or its host says. */
export function explainRequestPath(
  { transform, from }: RoutePlan,
  target: string,
  client: string | null,
): Step[] {
  if (transform === undefined) return []
  const steps: Step[] = []
  const say = (says: string, reason: string): void => {
    steps.push(step('request', says, reason, from))
  }
  const { maintenance, rewrite: path, request } = transform
  if (maintenance !== null) steps.push(explainMaintenance(maintenance, client, from))
  if (path !== null) say(`goes on as ${rewrite(path, target)}`, path.kind === 'strip' ? 'strip' : 'rewrite')
  if (request.length > 0) say(rulesInWords(request), 'headers.request')
  return steps
}

/** What happens to the response. */
export function explainResponse({ transform, action, from }: RoutePlan, target: string): Step[] {
  if (action.kind === 'redirect') return []
  const { compress, rewrite: path, errors, security, response } = transform ?? NOTHING
  const goesOn = path === null ? target : rewrite(path, target)
  const steps = [
    compress ? explainCompression(action, goesOn, from) : step('transfer', 'not compressed', NOT_ASKED, from),
    ...explainDelivery(action, transform ?? NOTHING, goesOn, from),
  ]
  const say = (says: string, reason: string): void => {
    steps.push(step('response', says, reason, from))
  }
  for (const { status, page, origin } of errors) {
    say(`${status} shows ${page}`, origin ? 'errors, also of the service' : 'errors, of Portico only')
  }
  if (security)
    say('HSTS over TLS, nosniff, Referrer-Policy, X-Frame-Options where there are none', 'security')
  if (response.length > 0) say(rulesInWords(response), 'headers.response')
  return steps
}

const NOTHING: Pick<
  TransformPlan,
  'compress' | 'rewrite' | 'errors' | 'security' | 'response' | 'isBuffered' | 'pace'
> = {
  compress: false,
  rewrite: null,
  errors: [],
  security: false,
  response: [],
  isBuffered: false,
  pace: null,
}

/** Whether the response waits until it is complete, and how fast it goes. */
function explainDelivery(
  action: ActionPlan,
  { isBuffered, pace }: Pick<TransformPlan, 'isBuffered' | 'pace'>,
  target: string,
  at: Step['at'],
): Step[] {
  const { head, of } = likelyResponse(action, pathOf(target))
  const { mode, reason } = deliver(isBuffered, head, action.kind === 'respond')
  const held = isBuffered && mode === 'buffered' ? `; for a second and 1 MiB at most, ${of}` : ''
  const steps = [step('delivery', `${mode}${held}`, reason, at)]
  if (pace === null) return steps
  const after = pace.afterOctets === 0 ? '' : ` after ${formatSize(pace.afterOctets)}`
  const rate =
    'octetsPerSecond' in pace
      ? `${formatSize(pace.octetsPerSecond)} a second`
      : `${pace.timesMedia} times as fast as it is played, when it is MP4`
  steps.push(step('delivery', `${rate}${after}`, 'limits.rate', at))
  return steps
}

const NOT_ASKED = 'nothing says "compress"'

function explainMaintenance(
  { allow }: NonNullable<TransformPlan['maintenance']>,
  client: string | null,
  at: Step['at'],
): Step {
  if (client !== null && createTrust(allow)(client)) {
    return step('request', `${client} is served as usual`, 'in maintenance.allow', at)
  }
  const others = allow.length === 0 ? '' : `, but for ${allow.join(', ')}`
  return fault('request', `503 for everyone${others}`, 'maintenance', at)
}

/** As browsers send it. */
const ACCEPTED = 'gzip, deflate, br, zstd'

/** What the decision says of the response as far as it is known; of a service it is a page of some length. */
function explainCompression(action: ActionPlan, target: string, at: Step['at']): Step {
  const { head, of } = likelyResponse(action, pathOf(target))
  const { coding, reason } = encode(
    { method: 'GET', fields: fieldsOf([['Accept-Encoding', ACCEPTED]]) },
    head,
  )
  if (coding === null) return step('transfer', 'not compressed', REASONS[reason] ?? reason, at)
  return step('transfer', `compressed with ${coding} for Accept-Encoding: ${ACCEPTED}`, of, at)
}

function likelyResponse(action: ActionPlan, path: string): { head: ResponseHead; of: string } {
  const long = '1 KiB or more, or of unknown length'
  const withType = (type: string): ResponseHead => {
    return { status: 200, fields: fieldsOf([['Content-Type', type]]), lengthOctets: null }
  }
  if (action.kind === 'respond') {
    const lengthOctets = Buffer.byteLength(action.body)
    return {
      head: { status: action.status, fields: fieldsOf(action.fields), lengthOctets },
      of: `${lengthOctets} octets of text`,
    }
  }
  if (action.kind !== 'files')
    return { head: withType('text/html'), of: `if it is text that the service has not compressed, ${long}` }
  const type = mediaTypeOf(path.endsWith('/') ? action.index : path)
  return { head: withType(type), of: `${type}, if ${long}` }
}

const REASONS: { readonly [reason in EncodeReason]?: string } = {
  'media type': 'compress: its media type does not get shorter',
  'too short': 'compress: shorter than 1 KiB',
  'no-transform': 'compress: Cache-Control has no-transform',
  'has a coding already': 'compress: it has a coding already',
}

function rulesInWords(rules: TransformPlan['request']): string {
  return rules
    .map((rule) => `${rule.action} ${rule.name}${rule.action === 'remove' ? '' : `: ${rule.value}`}`)
    .join('; ')
}
