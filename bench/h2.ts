import { freePort } from '../test/ports.ts'
import {
  createGround,
  type Figures,
  listenDirectives,
  measure,
  ratio,
  SERVER_CORE,
  startNginx,
  startScript,
} from './h2-contenders.ts'
import { waitForPort } from './peers.ts'

const REQUESTS = 200_000
const CONTENT_OCTETS = 64

export type H2Bench = {
  readonly bench: 'h2'
  /** ours / theirs, requests per second */
  readonly ratios: { readonly nginx: number; readonly node: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx' | 'node', Figures>>
}

/**
 * Measure Portico beside nginx and `node:http2`: small answers from memory over HTTP/2 and TLS, 16 streams on each of
 * 16 connections, the same P-256 certificate, one core each.
 *
 * @throws {Error} when nginx, h2load or openssl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround()
  try {
    const ports = { portico: await freePort(), nginx: await freePort(), node: await freePort() }
    const { certificate, key } = ground
    const words = [certificate, key, `${CONTENT_OCTETS}`]
    const answer = `default_type text/plain; return 200 "${'x'.repeat(CONTENT_OCTETS)}";`
    const block = `server { ${listenDirectives(ports.nginx, ground)} location / { ${answer} } }`
    const contenders = {
      portico: {
        port: ports.portico,
        peer: await startScript(ground, 'h2-portico.ts', `${ports.portico}`, ...words),
      },
      nginx: { port: ports.nginx, peer: await startNginx(ground, SERVER_CORE, 'nginx', block) },
      node: { port: ports.node, peer: await startScript(ground, 'h2-node.ts', `${ports.node}`, ...words) },
    }
    await Promise.all(Object.values(ports).map((port) => waitForPort(port)))
    const figures = await measure(contenders, REQUESTS)
    const { portico, nginx, node } = figures
    print(
      {
        bench: 'h2',
        ratios: { nginx: ratio(portico, nginx), node: ratio(portico, node) },
        contenders: figures,
      },
      json,
    )
  } finally {
    await ground.leave()
  }
}

function print(result: H2Bench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('HTTP/2 over TLS, small answers from memory, one core for the server')
  console.table(result.contenders)
  const { nginx, node } = result.ratios
  console.log(`Requests per second, ours / theirs: nginx ${nginx}, node:http2 ${node}`)
}
