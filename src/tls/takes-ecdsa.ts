import type { ClientHello } from './wire/client-hello.ts'

const TLS13 = 0x0304
const P256 = 23
/** ecdsa_secp256r1_sha256 */
const ECDSA_P256_SHA256 = 0x0403
/** ECDSA with any hash from SHA-256 on; before TLS 1.3 the curve is not part of it */
const ECDSA: ReadonlySet<number> = new Set([ECDSA_P256_SHA256, 0x0503, 0x0603])
/** ECDHE-ECDSA among those of secure.ts */
const CIPHERS: ReadonlySet<number> = new Set([0xc02b, 0xc02c, 0xcca9])

/**
 * Whether a client can use a certificate with a key of ECDSA with P-256: in TLS 1.3 its signature algorithms say so
 * (RFC 8446 §4.2.3), before that also its ciphers and curves (RFC 8422 §5.1).
 */
export function takesEcdsa({ ciphers, versions, groups, signatures }: ClientHello): boolean {
  if (versions.includes(TLS13)) return signatures.includes(ECDSA_P256_SHA256)
  const hasCurve = groups.length === 0 || groups.includes(P256)
  // RFC 5246 §7.4.1.4.1: who does not say means SHA-1, which nobody signs with any more.
  return (
    ciphers.some((cipher) => CIPHERS.has(cipher)) && hasCurve && signatures.some((each) => ECDSA.has(each))
  )
}
