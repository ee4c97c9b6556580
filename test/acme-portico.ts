import { type ChildProcess, spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { freePort } from './ports.ts'
import { runCommand } from './running.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

export type Ports = {
  readonly dns: number
  readonly http: number
  readonly https: number
  readonly admin: number
}

/** A Portico that can be killed and started again on the same folder. */
export type Restartable = {
  readonly ports: Ports
  readonly file: string
  start(): void
  /** SIGKILL; done when it is gone */
  kill(): Promise<void>
  /** SIGTERM; done when it is gone */
  stop(): Promise<void>
  output(): string
  command(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }>
  /** the certificate of a handshake, or null when there is none yet */
  certificate(name: string): Promise<PeerCertificate | null>
}

/** Free ports for a Portico that is not there yet. */
export async function choosePorts(): Promise<Ports> {
  return { dns: await freePort(), http: await freePort(), https: await freePort(), admin: await freePort() }
}

export type Prepared = {
  readonly hosts: object
  readonly records?: object
  readonly certificates: object
  /** the script that is started; that of the sources when not given */
  readonly program?: string
}

/** Write a file for `example.test`, and start nothing. */
export async function preparePortico(
  folder: string,
  ports: Ports,
  { hosts, records, program = main, ...rest }: Prepared,
): Promise<Restartable> {
  const file = join(folder, 'portico.jsonc')
  const listen = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, `127.0.0.1:${port}`]))
  const domain = { hosts, ...(records === undefined ? {} : { records }) }
  const value = { address: ['127.0.0.1'], listen, domains: { 'example.test': domain }, ...rest }
  await writeFile(file, JSON.stringify(value, null, 1))
  let child: ChildProcess | null = null
  let ended: Promise<void> = Promise.resolve()
  let output = ''

  async function end(signal: NodeJS.Signals): Promise<void> {
    child?.kill(signal)
    await ended
  }

  return {
    ports,
    file,
    start() {
      const words = [program, 'up', '--config', file]
      const started = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] })
      for (const stream of [started.stdout, started.stderr]) stream.on('data', (octets) => (output += octets))
      ended = new Promise((resolve) => started.once('close', () => resolve()))
      child = started
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    output: () => output,
    command: (...words) => runCommand([...words, '--config', file]),
    certificate: (name) =>
      handshake(ports.https, name).then(
        ({ peer }) => peer,
        () => null,
      ),
  }
}

/** One handshake; rejects when it fails. */
export function handshake(
  port: number,
  servername: string,
  trust: ConnectionOptions = { rejectUnauthorized: false },
): Promise<{ peer: PeerCertificate; isResumed: boolean }> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername, ...trust }
    const socket: TLSSocket = connect(options, () => {
      resolve({ peer: socket.getPeerCertificate(), isResumed: socket.isSessionReused() })
      socket.destroy()
    })
    socket.setTimeout(5000, () => socket.destroy(new Error('no handshake within 5 s')))
    socket.on('error', reject)
  })
}
