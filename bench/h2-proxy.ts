import { freePort } from '../test/ports.ts'
import {
  CLIENT_CORE,
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

const REQUESTS = 60_000
const CONTENT_OCTETS = 1024

export type H2ProxyBench = {
  readonly bench: 'h2-proxy'
  /** ours / theirs, requests per second */
  readonly ratios: { readonly nginx: number }
  readonly contenders: Readonly<Record<'portico' | 'nginx', Figures>>
}

/**
 * Measure Portico beside nginx as proxies from HTTP/2 over TLS to a local origin that answers 1 KiB.
 *
 * @throws {Error} when nginx, h2load or openssl is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround()
  try {
    const [origin, ports] = [await freePort(), { portico: await freePort(), nginx: await freePort() }]
    const answer = `return 200 "${'x'.repeat(CONTENT_OCTETS)}";`
    await startNginx(
      ground,
      CLIENT_CORE,
      'origin',
      `server { listen 127.0.0.1:${origin}; location / { ${answer} } }`,
    )
    const words = [`${ports.portico}`, ground.certificate, ground.key, '0', `${origin}`]
    const contenders = {
      portico: { port: ports.portico, peer: await startScript(ground, 'h2-portico.ts', ...words) },
      nginx: {
        port: ports.nginx,
        peer: await startNginx(
          ground,
          SERVER_CORE,
          'proxy',
          nginxBlock(listenDirectives(ports.nginx, ground), origin),
        ),
      },
    }
    await Promise.all([origin, ...Object.values(ports)].map((port) => waitForPort(port)))
    const figures = await measure(contenders, REQUESTS)
    print(
      { bench: 'h2-proxy', ratios: { nginx: ratio(figures.portico, figures.nginx) }, contenders: figures },
      json,
    )
  } finally {
    await ground.leave()
  }
}

/** The same duties as ours: who asked, and keep-alive to the origin. */
function nginxBlock(listen: string, origin: number): string {
  return `upstream origin { server 127.0.0.1:${origin}; keepalive 256; keepalive_requests 1000000000; }
  server {
    ${listen}
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Host $host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header Forwarded "for=$remote_addr;host=$host;proto=$scheme";
      proxy_set_header Via "2 nginx";
      add_header Via "1.1 nginx";
    }
  }`
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
