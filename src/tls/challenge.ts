import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext, type Server, TLSSocket } from 'node:tls'
import { secureOptions } from './secure.ts'
import { challengeExtensions, emptyName, encodeCertificate, toPem } from './wire/certificate.ts'
import { readClientHello } from './wire/client-hello.ts'

const PROTOCOL = 'acme-tls/1'
const HOUR = 3_600_000

export type ChallengeOptions = {
  /** digests (hex) by name, as they stand now */
  readonly digests: () => Readonly<Record<string, string>>
  /** milliseconds since 1970 */
  readonly now: () => number
  readonly timeoutMs: () => number
}

/**
 * Answer authorities that look for a proof in a handshake (RFC 8737 §3): they offer `acme-tls/1` alone.
 *
 * The name alone does not tell them from other clients, and Node chooses the certificate before it says what was
 * offered. So while there is a proof to show, and only then, the first octets of a connection are read before the
 * handshake begins.
 */
export function answerChallenges(server: Server, options: ChallengeOptions): void {
  const listeners = server.listeners('connection')
  const begin = listeners.at(-1)
  if (begin === undefined) return
  server.removeListener('connection', begin as (socket: Socket) => void)
  server.on('connection', (socket: Socket) => {
    const start = (): unknown => begin.call(server, socket)
    if (Object.keys(options.digests()).length === 0) start()
    else peek(socket, server, { ...options, start })
  })
}

type Peeking = ChallengeOptions & { readonly start: () => unknown }

/** Read until the ClientHello is whole, put it back, and choose who answers. */
function peek(socket: Socket, server: Server, { digests, now, timeoutMs, start }: Peeking): void {
  let octets: Buffer = Buffer.alloc(0)
  // The server counts handshakes from their beginning to one of two events.
  const giveUp = (): unknown => server.emit('tlsClientError', new Error('It said nothing'), socket)
  const timer = setTimeout(() => socket.destroy(), timeoutMs())
  socket.on('error', () => {})
  socket.once('close', giveUp)
  socket.on('readable', look)

  function look(): void {
    const part: Buffer | null = socket.read()
    if (part === null) return
    octets = Buffer.concat([octets, part])
    const hello = readClientHello(octets)
    if (hello === 'more') return
    clearTimeout(timer)
    socket.off('readable', look)
    socket.unshift(octets)
    const digest = hello === null ? undefined : digests()[hello.serverName]
    if (digest !== undefined && hello?.protocols.length === 1 && hello.protocols[0] === PROTOCOL) {
      show(socket, hello.serverName, { digest, now: now() })
      return
    }
    socket.off('close', giveUp)
    start()
  }
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
