import { createHash } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf, NameSet } from '#http/wire/fields.ts'
import type { ForwardAuthPlan } from './plan.ts'
import { type Check, type Refused, unavailable, type Verdict } from './verdict.ts'

/** Requests to the verifier at a time; beyond there is 503. */
const LIMIT_UNDER_WAY = 256
/** A page to sign in has a few KiB. */
const LIMIT_ANSWER_OCTETS = 65_536
/** Answers that are remembered: about 5 MB. */
const LIMIT_REMEMBERED = 10_000

/**
 * Create the check that asks another service: what it answers with 2xx is admitted, with the fields that are copied;
 * its other answers go to the client, such as a redirect to a page to sign in.
 *
 * An answer is remembered for everything that the service was told, so that it never admits another request.
 *
 * @param now in milliseconds
 */
export function createForwardAuth(plan: ForwardAuthPlan, now: () => number): Check {
  const url = new URL(plan.url)
  const client = url.protocol === 'https:' ? https : http
  const agent = new client.Agent({ keepAlive: true, maxSockets: LIMIT_UNDER_WAY, maxFreeSockets: 16 })
  const remembered = new Map<string, { readonly verdict: Verdict; readonly untilMs: number }>()
  let underWay = 0

  return (exchange, address) => {
    const told = tell(exchange, address)
    const key = plan.cacheMs === 0 ? '' : keyOf(told)
    const known = remembered.get(key)
    if (known !== undefined && known.untilMs > now()) return known.verdict
    return underWay >= LIMIT_UNDER_WAY ? BUSY : ask(told, key)
  }

  async function ask(told: http.OutgoingHttpHeaders, key: string): Promise<Verdict> {
    underWay++
    try {
      const signal = AbortSignal.timeout(plan.timeoutMs)
      const answer = await fetchAnswer(client.request(url, { agent, headers: told, signal }))
      const verdict = judge(answer)
      if (verdict.isAdmitted && plan.cacheMs > 0) remember(key, verdict)
      return verdict
    } catch (error) {
      return unreachable(String(error))
    } finally {
      underWay--
    }
  }

  function judge({ response, body }: Answer): Verdict {
    const status = response.statusCode ?? 0
    if (status < 200 || status > 299) return passOn(status, response, body)
    const fields = plan.copy.flatMap((name): [string, string][] => {
      const value = response.headers[name.toLowerCase()]
      return value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value]]
    })
    return { isAdmitted: true, fields }
  }

  function remember(key: string, verdict: Verdict): void {
    remembered.delete(key)
    remembered.set(key, { verdict, untilMs: now() + plan.cacheMs })
    if (remembered.size > LIMIT_REMEMBERED) remembered.delete(remembered.keys().next().value!)
  }
}

const BUSY = unavailable('Too many requests wait to be let in.', 'the verifier has too much to do')

/** What the service is told: who asks for what, and with which credentials; never the content. */
function tell({ request }: Exchange, address: string | null): http.OutgoingHttpHeaders {
  const { method, target, authority, fields, client } = request
  const told: http.OutgoingHttpHeaders = {
    'X-Forwarded-Method': method,
    'X-Forwarded-Proto': client.secure ? 'https' : 'http',
    'X-Forwarded-Host': authority,
    'X-Forwarded-Uri': target,
    'X-Forwarded-For': address ?? client.address,
  }
  for (const name of ['accept', 'accept-language', 'authorization', 'user-agent', 'x-requested-with']) {
    const values = fields.all(name)
    if (values.length > 0) told[name] = values.join(', ')
  }
  const cookies = fields.all('cookie')
  if (cookies.length > 0) told['cookie'] = cookies.join('; ')
  return told
}

function keyOf(told: http.OutgoingHttpHeaders): string {
  return createHash('sha256').update(JSON.stringify(told)).digest('base64')
}

type Answer = { readonly response: http.IncomingMessage; readonly body: Buffer }

async function fetchAnswer(asked: http.ClientRequest): Promise<Answer> {
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve).on('error', reject).end()
  })
  const parts: Buffer[] = []
  let length = 0
  for await (const part of response) {
    length += part.length
    if (length > LIMIT_ANSWER_OCTETS) throw new Error(`more than ${LIMIT_ANSWER_OCTETS} octets were answered`)
    parts.push(part)
  }
  return { response, body: Buffer.concat(parts) }
}

/** RFC 9110 §7.6.1: fields of the connection between us and the service stay there. */
const NOT_PASSED = new NameSet(
  'connection content-length date keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(
    ' ',
  ),
)

function passOn(status: number, { rawHeaders }: http.IncomingMessage, body: Buffer): Refused {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name, value] = [rawHeaders[i]!, rawHeaders[i + 1]!]
    if (!NOT_PASSED.has(name, 0, name.length)) pairs.push([name, value])
  }
  const head = { status, fields: fieldsOf(pairs), lengthOctets: body.length }
  return { isAdmitted: false, reason: `the verifier answered ${status}`, answer: { head, body } }
}

function unreachable(error: string): Refused {
  const detail = 'The service that decides who is let in here does not answer.'
  return { isAdmitted: false, reason: `verifier: ${error}`, answer: { status: 502, detail, fault: 'origin' } }
}
