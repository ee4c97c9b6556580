import type { CertificatePlan } from './plan.ts'

/** Certificates by name, compiled once a plan: looking up one of 10 000 costs what one of 10 costs. */
export type SelectTable = {
  readonly exact: ReadonlyMap<string, CertificatePlan>
  /** by what follows `*.` */
  readonly wildcards: ReadonlyMap<string, CertificatePlan>
  readonly first: CertificatePlan | null
}

export type Selection =
  | {
      readonly certificate: CertificatePlan
      readonly reason: 'exact name' | 'wildcard, one label deep' | 'no name sent: the first certificate'
    }
  | {
      readonly certificate: null
      readonly reason: 'no certificate has this name' | 'not a host name' | 'no certificates'
    }

/** Order certificates for `select`; of two with the same name the first is taken. */
export function compileCertificates(certificates: readonly CertificatePlan[]): SelectTable {
  const exact = new Map<string, CertificatePlan>()
  const wildcards = new Map<string, CertificatePlan>()
  for (const certificate of certificates) {
    for (const name of certificate.names) {
      const isWildcard = name.startsWith('*.')
      const table = isWildcard ? wildcards : exact
      const key = isWildcard ? name.slice(2) : name
      if (!table.has(key)) table.set(key, certificate)
    }
  }
  return { exact, wildcards, first: certificates[0] ?? null }
}

/**
 * Choose the certificate for the name in a ClientHello (RFC 6066 §3, RFC 9525 §6.3).
 *
 * An exact name wins; else `*` stands for the whole left-most label, and for one label only.
 *
 * @param serverName as the client sent it, in any case; undefined when it sent none
 * @example select(table, 'WWW.example.com').reason // 'wildcard, one label deep'
 */
export function select(table: SelectTable, serverName: string | undefined): Selection {
  if (table.first === null) return { certificate: null, reason: 'no certificates' }
  if (serverName === undefined) {
    return { certificate: table.first, reason: 'no name sent: the first certificate' }
  }
  const name = hostName(serverName)
  if (name === null) return { certificate: null, reason: 'not a host name' }
  const exact = table.exact.get(name)
  if (exact !== undefined) return { certificate: exact, reason: 'exact name' }
  const dot = name.indexOf('.')
  const wildcard = dot === -1 ? undefined : table.wildcards.get(name.slice(dot + 1))
  if (wildcard !== undefined) return { certificate: wildcard, reason: 'wildcard, one label deep' }
  return { certificate: null, reason: 'no certificate has this name' }
}

/**
 * Choose the roots that the clients of a host must be issued under: of the name, else of the nearest `*` above it.
 *
 * @param clients roots by name; `*.example.com` stands for names at any depth
 */
export function selectRoots(clients: ReadonlyMap<string, string>, serverName: string): string | null {
  const name = hostName(serverName)
  if (name === null || clients.size === 0) return null
  const own = clients.get(name)
  if (own !== undefined) return own
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
    const roots = clients.get(`*${name.slice(dot)}`)
    if (roots !== undefined) return roots
  }
  return null
}

// Letters, digits, hyphen and, because hosts behind wildcards use it, underscore: `*` and `:` are no part of a name.
const HOST_NAME = /^(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}$/
// A name that ends so is read as an IPv4 address by someone: 10.1, 0x7f.1 (WHATWG URL, "ends in a number").
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/

/** Lower case without the final dot, or null for what RFC 6066 §3 does not allow, such as an address. */
function hostName(text: string): string | null {
  // 254: the longest name in text form, 253 octets (RFC 1035 §2.3.4), and the final dot.
  if (text.length > 254) return null
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  // Before lower case, which turns the Kelvin sign into k.
  if (name.length > 253 || !HOST_NAME.test(name)) return null
  const lower = name.toLowerCase()
  return ENDS_IN_NUMBER.test(lower) ? null : lower
}
