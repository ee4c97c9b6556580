import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianPackages, peer } from '../test/peers.ts'
import { CLIENT_CORE, type Peer, pin, runPinned, SERVER_CORE } from './peers.ts'

/** What a bench works with: a folder of its own, one P-256 certificate for all, and the programs it has started. */
export type Ground = {
  readonly folder: string
  readonly certificate: string
  readonly key: string
  /** stopped by `leave` */
  readonly peers: Peer[]
  leave(): Promise<void>
}

/**
 * @param programs that the bench runs, keys of `debianPackages`
 * @throws {Error} when one of them, or openssl, is missing
 */
export async function createGround(bench: string, programs: readonly string[]): Promise<Ground> {
  const missing = ['openssl', ...programs].filter((name) => peer(name) === undefined)
  if (missing.length > 0) {
    const packages = missing.map((name) => debianPackages[name]).join(' ')
    throw new Error(`The ${bench} bench needs ${missing.join(', ')}. Fix: apt-get install ${packages}`)
  }
  const folder = await mkdtemp(join(tmpdir(), 'portico-bench-'))
  const [certificate, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const selfSigned = '-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost'
  const files = ['-keyout', key, '-out', certificate]
  await runPinned(CLIENT_CORE, peer('openssl')!, ['req', ...selfSigned.split(' '), ...files])
  const peers: Peer[] = []
  return {
    folder,
    certificate,
    key,
    peers,
    async leave() {
      await Promise.all(peers.map((one) => one.stop()))
      await rm(folder, { recursive: true })
    },
  }
}

/** Start a program on one core; it ends with the ground. */
export async function startPeer(
  ground: Ground,
  core: number,
  command: string,
  ...words: string[]
): Promise<Peer> {
  const started = await pin(core, command, words)
  ground.peers.push(started)
  return started
}

/** Start a program of this folder under this Node, on the server's core. */
export function startScript(ground: Ground, name: string, ...words: string[]): Promise<Peer> {
  // For the benches that ask how much memory is in use, not how much has not been collected yet.
  const script = ['--expose-gc', join(import.meta.dirname, name)]
  return startPeer(ground, SERVER_CORE, process.execPath, ...script, ...words)
}
