import { chmod, open } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { compare, type Figures, round } from './compare.ts'
import { createGround, type Ground, startScript } from './ground.ts'
import { runCurl } from './loads.ts'
import { listenPlain, listenTls, proxyBlock, startNginx } from './nginx.ts'
import { CLIENT_CORE, SERVER_CORE, waitForPort } from './peers.ts'

const ROUNDS = 3
const CONTENT_OCTETS = 2 ** 30
/** What nginx is quickest with: no file in between, and pieces as large as a TLS record takes several of. */
const NGINX_BUFFERS = 'proxy_max_temp_file_size 0; proxy_buffers 16 64k; proxy_busy_buffers_size 512k;'

/** Medians of downloads of 1 GiB. */
type Rates = {
  readonly mebibytesPerSecond: number
  /** processor time of the proxy for the whole, in user and kernel mode */
  readonly cpuMilliseconds: number
}

type Measured = {
  /** theirs / ours, processor time */
  readonly ratios: { readonly nginx: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx', Rates>>
}

export type LargeBench = { readonly bench: 'large'; readonly plain: Measured; readonly tls: Measured }

/**
 * Measure Portico beside nginx as proxies of one large response: 1 GiB from a local origin, over HTTP/1.1, to a client
 * without TLS and to one with it.
 *
 * The client or the origin may be the slower part, and both share a core: processor time is what is compared.
 *
 * @throws {Error} when nginx or curl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('large', ['nginx', 'curl'])
  try {
    const origin = await startOrigin(ground)
    const plain = await measure(ground, origin, 'plain')
    const tls = await measure(ground, origin, 'tls')
    print({ bench: 'large', plain, tls }, json)
  } finally {
    await ground.leave()
  }
}

/** @returns the port of an nginx that sends a file with a hole of 1 GiB, which takes no place on the disk */
async function startOrigin(ground: Ground): Promise<number> {
  const file = await open(join(ground.folder, 'large'), 'w')
  await file.truncate(CONTENT_OCTETS)
  await file.close()
  // Started by root, nginx reads as somebody else.
  await chmod(ground.folder, 0o755)
  const port = await freePort()
  const block = `sendfile on; server { ${listenPlain(port)} root ${ground.folder}; }`
  await startNginx(ground, CLIENT_CORE, 'origin', block)
  await waitForPort(port)
  return port
}

async function measure(ground: Ground, origin: number, kind: 'plain' | 'tls'): Promise<Measured> {
  const ports = { portico: await freePort(), nginx: await freePort() }
  const files = kind === 'tls' ? [ground.certificate, ground.key] : []
  const portico = await startScript(
    ground,
    'proxy-portico.ts',
    `${ports.portico}`,
    `${origin}`,
    '{}',
    ...files,
  )
  const listen = kind === 'tls' ? listenTls(ports.nginx, ground) : listenPlain(ports.nginx)
  const block = proxyBlock(listen, origin, NGINX_BUFFERS)
  const nginx = await startNginx(ground, SERVER_CORE, `proxy-${kind}`, block)
  await Promise.all(Object.values(ports).map((port) => waitForPort(port)))
  const contenders = {
    portico: { port: ports.portico, peer: portico },
    nginx: { port: ports.nginx, peer: nginx },
  }
  const scheme = kind === 'tls' ? 'https' : 'http'
  const load = (port: number) => runCurl(`${scheme}://127.0.0.1:${port}/large`, CONTENT_OCTETS)
  const figures = await compare(contenders, ROUNDS, load)
  const ratios = { nginx: round(figures.nginx.cpuMicroseconds / figures.portico.cpuMicroseconds) }
  return { ratios, contenders: { portico: ratesOf(figures.portico), nginx: ratesOf(figures.nginx) } }
}

/** A request is a GiB. */
function ratesOf({ requestsPerSecond, cpuMicroseconds }: Figures): Rates {
  return {
    mebibytesPerSecond: Math.round(requestsPerSecond * 1024),
    cpuMilliseconds: Math.round(cpuMicroseconds / 1000),
  }
}

function print(result: LargeBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('1 GiB from an origin, one core for the proxy')
  for (const kind of ['plain', 'tls'] as const) {
    console.table(result[kind].contenders)
    console.log(`${kind}, processor time, theirs / ours: nginx ${result[kind].ratios.nginx}`)
  }
}
