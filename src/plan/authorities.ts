import { DIRECTORIES } from '#acme/config.ts'
import type { CertificatesConfig } from '#tls/config.ts'

/** An authority that issues for the public, as CAA and its directory name it. */
export type Authority = {
  /** how messages call it */
  readonly name: string
  /** domains that name it in CAA (RFC 8659 §4.2); null: of a private one nobody knows */
  readonly caa: readonly string[] | null
  /** host of its ACME directory, which the URIs of its accounts have too */
  readonly host: string
}

/** Hosts of ACME directories, and what their authorities accept in CAA, as each documents it. */
const KNOWN: readonly (readonly [host: string, caa: readonly string[]])[] = [
  ['api.letsencrypt.org', ['letsencrypt.org']],
  ['zerossl.com', ['sectigo.com', 'zerossl.com']],
  ['pki.goog', ['pki.goog']],
  ['ssl.com', ['ssl.com']],
  ['sectigo.com', ['sectigo.com']],
  ['digicert.com', ['digicert.com']],
  ['buypass.com', ['buypass.com']],
]

/** The public authorities that a file asks for certificates; none for the local one. */
export function publicAuthoritiesOf({ issuer }: Pick<CertificatesConfig, 'issuer'>): Authority[] {
  return [issuer].flat().flatMap((written): Authority[] => {
    if (written === 'local') return []
    const directory = typeof written === 'string' ? DIRECTORIES[written] : written.acme
    const host = URL.canParse(directory) ? new URL(directory).hostname : ''
    const known = KNOWN.find(([suffix]) => `.${host}`.endsWith(`.${suffix}`))
    const name = typeof written === 'string' ? "Let's Encrypt" : host
    return [{ name, caa: known?.[1] ?? null, host: known?.[0] ?? host }]
  })
}
