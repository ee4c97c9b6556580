import { readFileSync } from 'node:fs'
import net from 'node:net'
import { resolve } from 'node:path'
import tls from 'node:tls'
import { TCP_PROBE_MS } from '../clock.ts'
import type { OriginPlan, OriginTls } from '../service-plan.ts'
import { resolveName } from './resolve.ts'

/** What a socket needs beside the plan of its origin. */
export type SocketOptions = {
  readonly port: number
  /** the last TLS session, to resume from */
  readonly session: Buffer | undefined
  /** authorities and client certificate, when the file names them */
  readonly secure: tls.SecureContext | undefined
  /** memory to read into; left out when the socket is read by someone else */
  readonly onread?: net.OnReadOpts
}

/** Begin to connect to an origin, over TCP, TLS or a Unix socket. */
export function openSocket(plan: OriginPlan, options: SocketOptions): net.Socket {
  const { port, session, secure } = options
  const onread = options.onread === undefined ? {} : { onread: options.onread }
  if (plan.socketPath !== undefined)
    return net.connect({ path: plan.socketPath, ...onread, allowHalfOpen: true })
  const tcp = {
    host: plan.host,
    port,
    ...onread,
    noDelay: true,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_PROBE_MS,
    lookup: resolveName,
    // RFC 8305 §5: the next address of the other family is tried when one is silent for so long.
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: 250,
  }
  if (plan.scheme === 'http') return net.connect(tcp)
  const name = plan.tls?.name ?? plan.host
  return tls.connect({
    ...tcp,
    // RFC 6066 §3: no address as server name.
    ...(net.isIP(name) === 0 ? { servername: name } : {}),
    ...(session === undefined ? {} : { session }),
    ...(secure === undefined ? {} : { secureContext: secure }),
    rejectUnauthorized: plan.verify,
    ALPNProtocols: [plan.speaksHttp2 === true ? 'h2' : 'http/1.1'],
  })
}

/**
 * Read the authorities and the client certificate of an origin.
 *
 * @param folder where relative names begin
 * @throws {Error} when a file cannot be read or holds something else
 */
export function readSecrets(files: OriginTls | undefined, folder: string): tls.SecureContext | undefined {
  if (files === undefined) return undefined
  const read = (name: string | undefined): Buffer | undefined =>
    name === undefined ? undefined : readFileSync(resolve(folder, name))
  const [ca, cert, key] = [read(files.ca), read(files.certificate), read(files.key)]
  return tls.createSecureContext({
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  })
}
