import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import type { KeyAndChain } from './issuer.ts'

// RFC 9325 §4.2: authenticated encryption with ephemeral keys only; no RSA key exchange, no CBC.
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
]

const CURVES = 'X25519:P-256:P-384'

/** What every context shares: a context that SNI selects brings its own ciphers, so all need the same. */
export const secureOptions: SecureContextOptions = {
  minVersion: 'TLSv1.2', // RFC 8996 §2: 1.0 and 1.1 must not be used
  ciphers: CIPHERS.join(':'),
  // All are strong, so the client knows best: one without AES in hardware is faster with ChaCha20.
  honorCipherOrder: false,
  ecdhCurve: bestCurves(),
  // RFC 9325 §3.5: nobody needs renegotiation, and it costs the server more than the client.
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  // Without this each context would carry the public roots, which a server that asks for no certificate never uses.
  ca: [],
}

/** @param clientRoots PEM of what clients' certificates stand on; null: none is asked for */
export function secureContext({ key, chain }: KeyAndChain, clientRoots: string | null = null): SecureContext {
  const ca = clientRoots === null ? {} : { ca: clientRoots }
  return createSecureContext({ ...secureOptions, ...ca, key, cert: chain })
}

/**
 * Free a context that was dropped, instead of waiting for the garbage collector: it sees a small object and lets
 * hundreds of megabytes gather. Connections that use it hold what they need.
 */
export function closeContext(context: SecureContext): void {
  context.context?.close?.()
}

/** With the hybrid of X25519 and ML-KEM-768 in front, where OpenSSL has it (3.5 and later). */
function bestCurves(): string {
  const withHybrid = `X25519MLKEM768:${CURVES}`
  try {
    createSecureContext({ ecdhCurve: withHybrid, ca: [] })
    return withHybrid
  } catch {
    return CURVES
  }
}
