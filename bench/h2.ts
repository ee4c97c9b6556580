import { freePort } from '../test/ports.ts'
import { compare, type Figures, ratio } from './compare.ts'
import { createGround, startScript } from './ground.ts'
import { runH2load } from './loads.ts'
import { answerBlock, listenTls, startNginx } from './nginx.ts'
import { SERVER_CORE, waitForPort } from './peers.ts'

const ROUNDS = 7
const REQUESTS = 200_000
const CONTENT_OCTETS = 64
const STREAMS = ['-c', '16', '-m', '16']

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
 * @throws {Error} when nginx or h2load is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('h2', ['nginx', 'h2load'])
  try {
    const ports = { portico: await freePort(), nginx: await freePort(), node: await freePort() }
    const words = [`${CONTENT_OCTETS}`, ground.certificate, ground.key]
    const block = answerBlock(listenTls(ports.nginx, ground), CONTENT_OCTETS)
    const portico = await startScript(ground, 'answer-portico.ts', `${ports.portico}`, ...words)
    const nginx = await startNginx(ground, SERVER_CORE, 'nginx', block)
    const node = await startScript(ground, 'h2-node.ts', `${ports.node}`, ...words)
    await Promise.all(Object.values(ports).map((port) => waitForPort(port)))
    const contenders = {
      portico: { port: ports.portico, peer: portico },
      nginx: { port: ports.nginx, peer: nginx },
      node: { port: ports.node, peer: node },
    }
    const figures = await compare(contenders, ROUNDS, (port) =>
      runH2load(`https://127.0.0.1:${port}/`, REQUESTS, STREAMS),
    )
    const ratios = {
      nginx: ratio(figures.portico, figures.nginx),
      node: ratio(figures.portico, figures.node),
    }
    print({ bench: 'h2', ratios, contenders: figures }, json)
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
