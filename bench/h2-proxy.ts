import { freePort } from '../test/ports.ts'
import { compare, type Figures, ratio } from './compare.ts'
import { createGround, startScript } from './ground.ts'
import { runH2load } from './loads.ts'
import { answerBlock, listenPlain, listenTls, proxyBlock, startNginx } from './nginx.ts'
import { CLIENT_CORE, SERVER_CORE, waitForPort } from './peers.ts'

const ROUNDS = 7
const REQUESTS = 60_000
const CONTENT_OCTETS = 1024
const STREAMS = ['-c', '16', '-m', '16']

export type H2ProxyBench = {
  readonly bench: 'h2-proxy'
  /** ours / theirs, requests per second */
  readonly ratios: { readonly nginx: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx', Figures>>
}

/**
 * Measure Portico beside nginx as proxies from HTTP/2 over TLS to a local origin that answers 1 KiB.
 *
 * @throws {Error} when nginx or h2load is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('h2-proxy', ['nginx', 'h2load'])
  try {
    const [origin, ports] = [await freePort(), { portico: await freePort(), nginx: await freePort() }]
    await startNginx(ground, CLIENT_CORE, 'origin', answerBlock(listenPlain(origin), CONTENT_OCTETS))
    const words = [`${ports.portico}`, `${origin}`, '{}', ground.certificate, ground.key]
    const portico = await startScript(ground, 'proxy-portico.ts', ...words)
    const proxy = proxyBlock(listenTls(ports.nginx, ground), origin)
    const nginx = await startNginx(ground, SERVER_CORE, 'proxy', proxy)
    await Promise.all([origin, ...Object.values(ports)].map((port) => waitForPort(port)))
    const contenders = {
      portico: { port: ports.portico, peer: portico },
      nginx: { port: ports.nginx, peer: nginx },
    }
    const figures = await compare(contenders, ROUNDS, (port) =>
      runH2load(`https://127.0.0.1:${port}/`, REQUESTS, STREAMS),
    )
    const ratios = { nginx: ratio(figures.portico, figures.nginx) }
    print({ bench: 'h2-proxy', ratios, contenders: figures }, json)
  } finally {
    await ground.leave()
  }
}

function print(result: H2ProxyBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('Proxy from HTTP/2 over TLS, 1 KiB from the origin, one core for the proxy')
  console.table(result.contenders)
  console.log(`Requests per second, ours / theirs: nginx ${result.ratios.nginx}`)
}
