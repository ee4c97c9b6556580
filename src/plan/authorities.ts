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

/** The authorities that a file asks for certificates; none for the local one. */
export function authoritiesOf({ issuer }: Pick<CertificatesConfig, 'issuer'>): Authority[] {
  return [issuer].flat().flatMap((written): Authority[] => {
    if (written === 'local') return []
    if (written === 'letsencrypt')
      return [{ name: "Let's Encrypt", caa: ['letsencrypt.org'], host: 'api.letsencrypt.org' }]
    const host = URL.canParse(written.acme) ? new URL(written.acme).hostname : ''
    const known = KNOWN.find(([suffix]) => `.${host}`.endsWith(`.${suffix}`))
    return [{ name: host, caa: known?.[1] ?? null, host: known?.[0] ?? host }]
  })
}
