import type { HttpLimits } from '#http/plan.ts'
import { type Authority, parseAuthority } from '#http/wire/authority.ts'
import { requestBodyLength } from '#http/wire/framing.ts'
import type { ParsedRequest } from '#http/wire/head.ts'
import { hasToken, listMembers } from '#http/wire/list.ts'
import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'

/** A request that is well-formed and meant for us, and how its connection goes on. */
export type AcceptedRequest = Authority & {
  /** origin-form, or `*` for OPTIONS */
  readonly target: string
  /** length of the content in octets; 0 without content */
  readonly length: number | 'chunked'
  /** the client leaves the connection open after the response */
  readonly keepsAlive: boolean
  /** the client waits for 100 before it sends the content */
  readonly expectsContinue: boolean
  readonly upgrade: string | undefined
}

/**
 * Judge a parsed request: target and authority, framing, expectations (RFC 9112 §3.2, §6; RFC 9110 §10.1.1).
 *
 * @param secure the connection is TLS
 */
export function acceptRequest(
  head: ParsedRequest,
  limits: HttpLimits,
  secure: boolean,
): AcceptedRequest | Refusal {
  const { fields, method, minor } = head
  // Neither makes sense for any resource of a gateway: CONNECT would open tunnels, TRACE would show cookies.
  if (method === 'CONNECT' || method === 'TRACE') return refuse(501, `${method} is not offered`)
  const host = readHost(head)
  if (isRefusal(host)) return host
  const aim = readTarget(head, host, secure)
  if (isRefusal(aim)) return aim
  const length = requestBodyLength(fields, minor)
  if (isRefusal(length)) return length
  if (typeof length === 'number' && length > limits.bodyOctets) {
    return refuse(413, `the content of ${length} octets is larger than ${limits.bodyOctets} octets`)
  }
  // RFC 9110 §10.1.1: an expectation in an HTTP/1.0 request is ignored.
  const expectation = minor === 1 ? fields.get('expect') : undefined
  if (expectation !== undefined && !hasOnlyContinue(fields.all('expect'))) {
    return refuse(417, `the expectation "${expectation.slice(0, 40)}" is not known`)
  }
  return {
    ...aim,
    length: length === 'until close' ? 0 : length,
    keepsAlive: keepsAlive(head),
    expectsContinue: expectation !== undefined && length !== 0,
    upgrade: length === 0 ? readUpgrade(head) : undefined,
  }
}

/** The authority of the Host field (RFC 9112 §3.2); without one only HTTP/1.0 is read on. */
function readHost(head: ParsedRequest): Authority | Refusal {
  const value = head.fields.get('host')
  if (value === undefined) return head.minor === 0 ? NO_HOST : refuse(400, 'HTTP/1.1 needs a Host field')
  const authority = parseAuthority(value)
  if (authority === undefined) return refuse(400, 'the Host field is not a host with or without port')
  return head.fields.all('host').length > 1 ? refuse(400, 'there is more than one Host field') : authority
}

type Aim = Authority & { readonly target: string }

function readTarget(head: ParsedRequest, host: Authority, secure: boolean): Aim | Refusal {
  const { method, target } = head
  if (target.startsWith('/')) return { authority: host.authority, host: host.host, target }
  if (target === '*') {
    if (method !== 'OPTIONS') return refuse(400, 'only OPTIONS has the target "*"')
    return { authority: host.authority, host: host.host, target }
  }
  const match = /^(https?):\/\/([^/?]*)(.*)$/i.exec(target)
  if (match === null) return refuse(400, 'the request target is neither a path nor an http or https URI')
  // RFC 9110 §7.4: an https resource is only given to who asks for it over TLS.
  if (match[1]!.toLowerCase() === 'https' && !secure)
    return refuse(421, 'an https URI was asked for without TLS')
  // RFC 9112 §3.2.2: the authority in the target wins over Host.
  const authority = parseAuthority(match[2]!)
  if (authority === undefined) return refuse(400, 'the request target has no host, userinfo, or no such port')
  const rest = match[3]!
  // RFC 9112 §3.2.4: OPTIONS for a URI without path asks about the server.
  if (rest === '' && method === 'OPTIONS') return { ...authority, target: '*' }
  return { ...authority, target: rest.startsWith('/') ? rest : `/${rest}` }
}

/** RFC 9112 §9.3: persistent is the default of HTTP/1.1, and on demand in HTTP/1.0. */
function keepsAlive({ fields, minor }: ParsedRequest): boolean {
  if (fields.get('connection') === undefined) return minor === 1
  return (
    !hasToken(fields, 'connection', 'close') && (minor === 1 || hasToken(fields, 'connection', 'keep-alive'))
  )
}

/** RFC 9110 §7.8: Upgrade counts only with the connection option, and never in HTTP/1.0. */
function readUpgrade({ fields, minor }: ParsedRequest): string | undefined {
  const value = fields.get('upgrade')
  if (value === undefined || minor === 0 || !hasToken(fields, 'connection', 'upgrade')) return undefined
  return listMembers([value])[0]?.toLowerCase()
}

function hasOnlyContinue(values: readonly string[]): boolean {
  return listMembers(values).every((member) => member.toLowerCase() === '100-continue')
}

const NO_HOST: Authority = { authority: '', host: '' }
