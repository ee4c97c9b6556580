import { type Authority, parseAuthority } from '#http/wire/authority.ts'
import { isToken, skipTarget } from '#http/wire/characters.ts'
import { NOT_TRAILERS } from '#http/wire/chunked.ts'
import type { Fields } from '#http/wire/fields.ts'
import type { HeadLimits } from '#http/wire/head.ts'
import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'
import { type H2Error, isH2Error, PROTOCOL_ERROR, streamError } from './error.ts'
import { Field } from './field.ts'
import { FieldList } from './field-list.ts'
import {
  AUTHORITY,
  CONTENT_LENGTH,
  COOKIE,
  FIRST_PSEUDO,
  HOST,
  judgeField,
  MALFORMED,
  METHOD,
  PATH,
  PROTOCOL,
  SCHEME,
} from './judge-field.ts'

/** The head of a request that is well-formed and meant for us. */
export type RequestHead = Authority & {
  readonly kind: 'request'
  readonly method: string
  /** the path and query, or `*` for OPTIONS */
  readonly target: string
  /** what an extended CONNECT asks for, lower case, such as `websocket` (RFC 8441 §4) */
  readonly protocol: string | undefined
  /** Content-Length in octets; null when it is not said */
  readonly lengthOctets: number | null
  /** without pseudo-header fields and Host; the parts of Cookie in one line */
  readonly fields: Fields
}

/** A request that is answered with a status, and its method when it could be read: HEAD gets no content. */
export type RefusedHead = Refusal & { readonly method?: string | undefined }

/** What a request is judged by. */
export type RequestRules = {
  readonly limits: HeadLimits
  /** the connection is TLS */
  readonly isSecure: boolean
  /** we have sent SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 §3) */
  readonly takesConnectProtocol: boolean
}

/**
 * Judge the header section of a request (RFC 9113 §8.3.1).
 *
 * @returns a stream error for what is malformed (RFC 9113 §8.1.1); a refusal for what is answered with a status
 */
export function readRequest(
  list: readonly Field[],
  rules: RequestRules,
): RequestHead | RefusedHead | H2Error {
  const pseudo = readPseudo(list, rules)
  if (isH2Error(pseudo)) return pseudo
  const head = readHead(list, pseudo, rules)
  return isRefusal(head) ? { ...head, method: pseudo.method } : head
}

function readHead(
  list: readonly Field[],
  pseudo: Pseudo,
  rules: RequestRules,
): RequestHead | Refusal | H2Error {
  const section = readSection(list, pseudo.count)
  if (isH2Error(section)) return section
  // Browsers send a line for each cookie: these were joined before they are counted.
  if (section.fields.length > rules.limits.headerCount) {
    return refuse(431, `there are more than ${rules.limits.headerCount} fields`)
  }
  const fault = judgePseudo(pseudo)
  if (fault !== undefined) return fault
  const authority = readAuthority(pseudo.authority, section.host)
  if (isRefusal(authority) || isH2Error(authority)) return authority
  const refusal = refuseRequest(pseudo, rules)
  if (refusal !== undefined) return refusal
  return {
    kind: 'request',
    method: pseudo.method!,
    authority: authority.authority,
    host: authority.host,
    target: pseudo.path!,
    protocol: pseudo.protocol?.toLowerCase(),
    lengthOctets: section.lengthOctets,
    fields: new FieldList(section.fields),
  }
}

/**
 * Judge a trailer section (RFC 9113 §8.1).
 *
 * @returns the fields that may stand in trailers (RFC 9110 §6.5.1), others left out
 */
export function readTrailers(list: readonly Field[]): Fields | H2Error {
  for (const field of list) {
    const kind = judgeField(field)
    if (kind === MALFORMED) return malformedField(field)
    if (kind >= FIRST_PSEUDO) return malformed('a pseudo-header field stands in the trailers')
  }
  return new FieldList(list.filter(({ name }) => !NOT_TRAILERS.has(name, 0, name.length)))
}

/** A message that breaks the rules (RFC 9113 §8.1.1). */
export function malformed(reason: string): H2Error {
  return streamError(PROTOCOL_ERROR, reason)
}

type Pseudo = {
  readonly count: number
  readonly method: string | undefined
  readonly scheme: string | undefined
  readonly authority: string | undefined
  readonly path: string | undefined
  readonly protocol: string | undefined
}

/** Take the fields before the regular ones. */
function readPseudo(list: readonly Field[], rules: RequestRules): Pseudo | H2Error {
  /** by kind, from FIRST_PSEUDO */
  const values: (string | undefined)[] = [undefined, undefined, undefined, undefined, undefined]
  let count = 0
  for (const field of list) {
    const kind = judgeField(field)
    if (kind < FIRST_PSEUDO) break
    if (values[kind - FIRST_PSEUDO] !== undefined) return malformed(`there is more than one ${field.name}`)
    if (kind === PROTOCOL && !rules.takesConnectProtocol) return malformedField(field)
    values[kind - FIRST_PSEUDO] = field.value
    count++
  }
  const [method, scheme, authority, path, protocol] = values
  return { count, method, scheme, authority, path, protocol }
}

type Section = {
  readonly fields: readonly Field[]
  readonly host: string | undefined
  readonly lengthOctets: number | null
}

/** Judge the regular fields; Host stands beside them, as the request has an authority. */
function readSection(list: readonly Field[], start: number): Section | H2Error {
  const fields: Field[] = []
  let host: string | undefined
  let lengthOctets: number | null = null
  let cookieAt = -1
  for (let i = start; i < list.length; i++) {
    const field = list[i]!
    switch (judgeField(field)) {
      case MALFORMED:
        return malformedField(field)
      case METHOD:
      case SCHEME:
      case AUTHORITY:
      case PATH:
      case PROTOCOL:
        return malformed('a pseudo-header field stands behind regular ones')
      case HOST:
        if (host !== undefined) return malformed('there is more than one Host field')
        host = field.value
        continue
      case CONTENT_LENGTH:
        if (lengthOctets !== null) return malformed('there is more than one Content-Length')
        if (!/^[0-9]{1,15}$/.test(field.value)) return malformedField(field)
        lengthOctets = Number(field.value)
        break
      case COOKIE:
        // RFC 9113 §8.2.3: the parts are one line wherever else they go.
        if (cookieAt >= 0) {
          fields[cookieAt] = new Field('cookie', `${fields[cookieAt]!.value}; ${field.value}`)
          continue
        }
        cookieAt = fields.length
    }
    fields.push(field)
  }
  return { fields, host, lengthOctets }
}

/** Which pseudo-header fields there must be, and how they are written (RFC 9113 §8.3.1, §8.5, RFC 8441 §4). */
function judgePseudo({ method, scheme, authority, path, protocol }: Pseudo): H2Error | undefined {
  if (method === undefined || !isToken(method)) return malformed('there is no :method, or it is no token')
  if (protocol !== undefined) {
    if (method !== 'CONNECT') return malformed(':protocol stands in a request that is not CONNECT')
    if (!isToken(protocol)) return malformed(':protocol is no token')
    if (authority === undefined) return malformed('CONNECT has no :authority')
  } else if (method === 'CONNECT') {
    return scheme === undefined && path === undefined && authority !== undefined
      ? undefined
      : malformed('CONNECT has :scheme or :path, or no :authority')
  }
  if (scheme === undefined || path === undefined) return malformed('there is no :scheme or no :path')
  if (path.startsWith('/') || (path === '*' && method === 'OPTIONS')) {
    return skipTarget(path, 0) === path.length
      ? undefined
      : malformed(':path is not written in visible ASCII, or has a fragment')
  }
  return malformed(':path does not begin with "/"')
}

/** RFC 9113 §8.3.1: :authority or Host says who the request is for, and where there are both they say the same. */
function readAuthority(
  authority: string | undefined,
  host: string | undefined,
): Authority | Refusal | H2Error {
  const text = authority ?? host ?? ''
  if (text === '') return malformed('there is no :authority and no Host, or it is empty')
  if (text.includes('@')) return malformed('the authority has userinfo')
  const parsed = parseAgain(text)
  if (parsed === undefined) return refuse(400, 'the authority is not a host with or without port')
  if (host !== undefined && host !== text && parseAuthority(host)?.authority !== parsed.authority) {
    return malformed('Host is not :authority')
  }
  return parsed
}

/** The authority of the last request: most requests have the same as the one before. */
const last: { text: string; parsed: Authority | undefined } = { text: '', parsed: undefined }

/** As `parseAuthority` says. */
function parseAgain(text: string): Authority | undefined {
  if (last.text === text) return last.parsed
  last.parsed = parseAuthority(text)
  last.text = text
  return last.parsed
}

/** What is well-formed and yet not offered. */
function refuseRequest({ method, scheme, path, protocol }: Pseudo, rules: RequestRules): Refusal | undefined {
  // As over HTTP/1.1: CONNECT would open tunnels, TRACE would show cookies.
  if ((method === 'CONNECT' && protocol === undefined) || method === 'TRACE') {
    return refuse(501, `${method} is not offered`)
  }
  if (path!.length > rules.limits.targetOctets) {
    return refuse(414, `the request target is longer than ${rules.limits.targetOctets} octets`)
  }
  const lower = scheme!.toLowerCase()
  if (lower !== 'https' && lower !== 'http') return refuse(400, 'the scheme is neither http nor https')
  // RFC 9110 §7.4: an https resource is only given to who asks for it over TLS.
  if (lower === 'https' && !rules.isSecure) return refuse(421, 'an https URI was asked for without TLS')
  return undefined
}

function malformedField({ name }: Field): H2Error {
  return malformed(`the field ${JSON.stringify(name.slice(0, 40))} may not stand in a request, or not so`)
}
