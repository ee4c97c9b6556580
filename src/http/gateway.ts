import type { Request } from './exchange.ts'
import { type Fields, NameSet, serializeFields } from './wire/fields.ts'
import { hasToken, listMembers } from './wire/list.ts'

/** What is added to a request when it is passed on. */
export type GatewayRequest = {
  /** our name in Via (RFC 9110 §7.6.3) */
  readonly pseudonym: string
  /** the Host of a request that has none */
  readonly originAuthority: string
  /** the client's own Forwarded and X-Forwarded-* fields are believed */
  readonly isTrusted: boolean
  /** pass the wish for another protocol on (RFC 9110 §7.8) */
  readonly asksUpgrade: boolean
  readonly awaitsContinue: boolean
}

/**
 * Write the head of a request for an origin (RFC 9110 §7.6.1).
 *
 * Fields that concern only the client's connection stay behind; those that say who asked are ours.
 */
export function requestHead(request: Request, gateway: GatewayRequest): string {
  const { method, target, fields } = request
  const authority = request.authority || gateway.originAuthority
  const dropped = gateway.isTrusted ? FROM_TRUSTED : FROM_ANYONE
  return (
    `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n` +
    serializeFields(fields, dropped, nominatedNames(fields)) +
    (request.fieldsForOrigin === undefined ? '' : serializeFields(request.fieldsForOrigin)) +
    framingLines(request) +
    connectionLines(request, gateway) +
    forwardedLines(request, gateway.isTrusted) +
    `Via: ${request.version} ${gateway.pseudonym}\r\n\r\n`
  )
}

/**
 * The fields of a response that go on to the client (RFC 9110 §7.6.1): those of the origin's connection stay behind.
 *
 * @param version of HTTP that the origin spoke, for Via
 */
export function responseFields(fields: Fields, version: Request['version'], pseudonym: string): Fields {
  return new GatewayFields(fields, nominatedNames(fields), `${version} ${pseudonym}`)
}

/** What an origin that answers 426 wants to be asked for by Upgrade (RFC 9110 §15.5.22); h2c is not passed on. */
export function wantedProtocols(fields: Fields): string | undefined {
  const wanted = listMembers(fields.all('upgrade')).filter((name) => !/^h2c?$/i.test(name))
  return wanted.length === 0 ? undefined : wanted.join(', ')
}

/** How often a request has already passed through a gateway of this name (RFC 9110 §7.6.3). */
export function countPasses(fields: Fields, pseudonym: string): number {
  if (fields.get('via') === undefined) return 0
  return listMembers(fields.all('via')).filter((member) => member.split(/[ \t]+/)[1] === pseudonym).length
}

/** How many more gateways OPTIONS may pass (RFC 9110 §7.6.2); undefined when it does not say. */
export function maxForwards(request: Request): number | undefined {
  if (request.method !== 'OPTIONS') return undefined
  const value = request.fields.get('max-forwards')
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) : undefined
}

const HOP_BY_HOP =
  'connection keep-alive proxy-connection te transfer-encoding upgrade http2-settings proxy-authenticate proxy-authorization'
const WHO_ASKED = 'forwarded x-forwarded-for x-forwarded-host x-forwarded-proto'
// No standard knows Proxy, and CGI programs take it for the proxy that they should ask (httpoxy, CVE-2016-5385).
const REWRITTEN = `host content-length expect max-forwards proxy ${WHO_ASKED}`
// Read by frameworks, and written by proxies other than this one.
const ALSO_WHO_ASKED = 'x-forwarded-port x-forwarded-prefix x-forwarded-server x-forwarded-ssl x-real-ip'

const FROM_TRUSTED = new NameSet(`${HOP_BY_HOP} ${REWRITTEN}`.split(' '))
const FROM_ANYONE = new NameSet(
  `${HOP_BY_HOP} ${REWRITTEN} ${ALSO_WHO_ASKED}`.split(' ').concat(
    // CGI and WSGI make no difference between "-" and "_".
    `${WHO_ASKED} ${ALSO_WHO_ASKED}`.split(' ').flatMap(underscored),
  ),
)
const FROM_ORIGIN = new NameSet(HOP_BY_HOP.split(' '))

/** RFC 9110 §7.6.1: what is meant for all recipients is not removed, whatever Connection says. */
const PROTECTED = new NameSet(
  `authorization cache-control content-encoding content-length content-location content-range content-type cookie
  date etag expires host last-modified location set-cookie vary via www-authenticate`.split(/\s+/),
)

/** The names in Connection, or undefined when it nominates none (RFC 9110 §7.6.1). */
function nominatedNames(fields: Fields): NameSet | undefined {
  const value = fields.get('connection')
  if (value === undefined || value === 'keep-alive' || value === 'close') return undefined
  const names = listMembers(fields.all('connection')).filter((name) => !PROTECTED.has(name, 0, name.length))
  return names.length === 0 ? undefined : new NameSet(names)
}

function framingLines(request: Request): string {
  if (request.body !== null) {
    return request.lengthOctets === null
      ? 'Transfer-Encoding: chunked\r\n'
      : `Content-Length: ${request.lengthOctets}\r\n`
  }
  return request.fields.get('content-length') === undefined ? '' : 'Content-Length: 0\r\n'
}

function connectionLines(request: Request, gateway: GatewayRequest): string {
  let lines = gateway.awaitsContinue ? 'Expect: 100-continue\r\n' : ''
  if (gateway.asksUpgrade) {
    // Only the protocol that was looked at: others of the list might be h2c.
    lines += `Connection: Upgrade\r\nUpgrade: ${request.upgrade}\r\n`
  } else if (hasToken(request.fields, 'te', 'trailers')) {
    // RFC 9110 §10.1.4: trailers are understood all the way; TE itself is for one connection.
    lines += 'TE: trailers\r\nConnection: TE\r\n'
  }
  const forwards = maxForwards(request)
  return forwards === undefined ? lines : `${lines}Max-Forwards: ${forwards - 1}\r\n`
}

/** Who asked for what: in the standard's form (RFC 7239 §4) and in the one that most frameworks read. */
function forwardedLines(request: Request, isTrusted: boolean): string {
  const { authority, client } = request
  const proto = client.secure ? 'https' : 'http'
  const host = authority === '' ? '' : `;host=${quoteUnlessToken(authority)}`
  const forwarded = `for=${forwardedFor(client.address)}${host};proto=${proto}`
  if (isTrusted)
    return appendedLines(request.fields, { address: client.address, authority, proto, forwarded })
  return (
    `X-Forwarded-For: ${client.address}\r\n` +
    (authority === '' ? '' : `X-Forwarded-Host: ${authority}\r\n`) +
    `X-Forwarded-Proto: ${proto}\r\nForwarded: ${forwarded}\r\n`
  )
}

type Own = {
  readonly address: string
  readonly authority: string
  readonly proto: string
  readonly forwarded: string
}

/** What a trusted client says, with what we know behind it. */
function appendedLines(fields: Fields, own: Own): string {
  const host = fields.get('x-forwarded-host') ?? own.authority
  return (
    `X-Forwarded-For: ${[...fields.all('x-forwarded-for'), own.address].join(', ')}\r\n` +
    (host === '' ? '' : `X-Forwarded-Host: ${host}\r\n`) +
    `X-Forwarded-Proto: ${fields.get('x-forwarded-proto') ?? own.proto}\r\n` +
    `Forwarded: ${[...fields.all('forwarded'), own.forwarded].join(', ')}\r\n`
  )
}

/** RFC 7239 §6: an IPv6 address stands in brackets and quotes. */
function forwardedFor(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address
}

/** An authority has no characters that must be escaped in quotes. */
function quoteUnlessToken(authority: string): string {
  return authority.includes(':') ? `"${authority}"` : authority
}

/** The name with every choice of "-" and "_". */
function underscored(name: string): string[] {
  const at = name.indexOf('-')
  if (at < 0) return [name]
  return underscored(name.slice(at + 1)).flatMap((rest) => [
    `${name.slice(0, at)}-${rest}`,
    `${name.slice(0, at)}_${rest}`,
  ])
}

/** An origin's fields without those that concern its connection, and with Via. */
class GatewayFields implements Fields {
  readonly #fields: Fields
  readonly #nominated: NameSet | undefined
  readonly #via: string
  /** the last answer of `serialize` */
  #lines = ''
  #linesWithout: NameSet | undefined

  constructor(fields: Fields, nominated: NameSet | undefined, via: string) {
    this.#fields = fields
    this.#nominated = nominated
    this.#via = via
  }

  get size(): number {
    let size = 0
    this.each(() => size++)
    return size
  }

  get(name: string): string | undefined {
    const value = this.#fields.get(name)
    if (value === undefined) return name === 'via' ? this.#via : undefined
    return this.#isDropped(name) ? undefined : value
  }

  all(name: string): string[] {
    if (this.#isDropped(name)) return []
    const values = this.#fields.all(name)
    return name === 'via' ? [...values, this.#via] : values
  }

  each(visit: (name: string, value: string) => void): void {
    this.#fields.each((name, value) => {
      if (!this.#isDropped(name)) visit(name, value)
    })
    visit('Via', this.#via)
  }

  serialize(skip: NameSet, nominated?: NameSet): string {
    if (this.#linesWithout === skip && nominated === undefined) return this.#lines
    const lines = this.#serialize(skip, nominated)
    if (nominated === undefined) {
      this.#lines = lines
      this.#linesWithout = skip
    }
    return lines
  }

  #serialize(skip: NameSet, nominated: NameSet | undefined): string {
    if (nominated === undefined && this.#nominated === undefined && !skip.has('via', 0, 3)) {
      return `${serializeFields(this.#fields, FROM_ORIGIN, skip)}Via: ${this.#via}\r\n`
    }
    let lines = ''
    this.each((name, value) => {
      if (skip.has(name, 0, name.length) || nominated?.has(name, 0, name.length) === true) return
      lines += `${name}: ${value}\r\n`
    })
    return lines
  }

  #isDropped(name: string): boolean {
    return FROM_ORIGIN.has(name, 0, name.length) || this.#nominated?.has(name, 0, name.length) === true
  }
}
