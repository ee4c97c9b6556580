import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import { secureOptions } from './secure.ts'
import { challengeExtensions, emptyName, encodeCertificate, toPem } from './wire/certificate.ts'
import type { ClientHello } from './wire/client-hello.ts'

const PROTOCOL = 'acme-tls/1'
const HOUR = 3_600_000

/**
 * Answer an authority that looks for a proof in a handshake (RFC 8737 §3): it offers `acme-tls/1` alone.
 *
 * @param digest hex
 * @param now milliseconds since 1970
 * @returns false when this is another client
 */
export function answerChallenge(
  socket: Socket,
  { serverName, protocols }: ClientHello,
  digest: string | undefined,
  now: number,
): boolean {
  if (digest === undefined || protocols.length !== 1 || protocols[0] !== PROTOCOL) return false
  show(socket, serverName, { digest, now })
  return true
}

/** The handshake is the proof: nothing is said in it, and it is closed. */
function show(socket: Socket, name: string, { digest, now }: { digest: string; now: number }): void {
  const { key, chain } = signChallenge(name, digest, now)
  const secured = new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ ...secureOptions, key, cert: chain }),
    ALPNProtocols: [PROTOCOL],
  })
  secured.on('error', () => socket.destroy())
  secured.on('secure', () => secured.end())
}

/** A certificate of its own making, for the name, with the digest in it (RFC 8737 §3). */
function signChallenge(name: string, digest: string, now: number): { key: string; chain: string } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'der' })
  const content = {
    serial: randomBytes(16),
    issuer: emptyName,
    subject: emptyName,
    notBefore: now - HOUR,
    notAfter: now + HOUR,
    publicKey,
    extensions: challengeExtensions(name, Buffer.from(digest, 'hex')),
  }
  const chain = toPem(encodeCertificate(content, (signed) => sign('sha256', signed, pair.privateKey)))
  return { key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), chain }
}
