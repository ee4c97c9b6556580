import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { peer } from '../test/peers.ts'
import { type Ground, startPeer } from './ground.ts'
import { type Peer, SERVER_CORE } from './peers.ts'

/**
 * Start HAProxy with one thread before an origin, on the server's core.
 *
 * @param more for each section, and sections of their own
 */
export function startHaproxy(
  ground: Ground,
  { port, origin }: { readonly port: number; readonly origin: number },
  more: {
    readonly defaults?: string
    readonly frontend?: string
    readonly backend?: string
    readonly sections?: string
  },
): Promise<Peer> {
  const file = join(ground.folder, `haproxy-${port}.cfg`)
  const text = `global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
${more.defaults ?? ''}
${more.sections ?? ''}
frontend front
  bind 127.0.0.1:${port}
${more.frontend ?? ''}
  default_backend origin
backend origin
${more.backend ?? ''}
  server one 127.0.0.1:${origin}
`
  return writeFile(file, text).then(() => startPeer(ground, SERVER_CORE, peer('haproxy')!, '-f', file, '-db'))
}
