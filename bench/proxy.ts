import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../test/ports.ts'
import { compare, type Figures, ratio } from './compare.ts'
import { createGround, startScript } from './ground.ts'
import { startHaproxy } from './haproxy.ts'
import { runWrk } from './loads.ts'
import { answerBlock, listenPlain, proxyBlock, startNginx } from './nginx.ts'
import { CLIENT_CORE, SERVER_CORE, waitForPort } from './peers.ts'

const ROUNDS = 5
const SECONDS = 2
const CONNECTIONS = 64
const CONTENT_OCTETS = 1024

type Contenders = Readonly<Record<'portico' | 'nginx' | 'haproxy', Figures>>
type Ratios = { readonly nginx: number; readonly haproxy: number }

export type ProxyBench = {
  readonly bench: 'proxy'
  /** ours / theirs, requests per second, when clients send the same head again and again */
  readonly ratios: Ratios
  readonly contenders: Contenders
  /** the same when every request has a target and a field of its own */
  readonly varied: { readonly ratios: Ratios; readonly contenders: Contenders }
}

/**
 * Measure Portico beside nginx and HAProxy as reverse proxies: 1 KiB from a local origin, keep-alive on both sides,
 * 64 connections, one worker on one core each.
 *
 * Portico reads and writes a head that comes again only once (`http/wire/last-head.ts`), so it is measured with equal
 * heads and with varied ones.
 *
 * @throws {Error} when nginx, HAProxy or wrk is missing, or one of them does not start
 */
export async function run({ json }: { json: boolean }): Promise<void> {
  const ground = await createGround('proxy', ['nginx', 'haproxy', 'wrk'])
  try {
    const origin = await freePort()
    const ports = { portico: await freePort(), nginx: await freePort(), haproxy: await freePort() }
    await startNginx(ground, CLIENT_CORE, 'origin', answerBlock(listenPlain(origin), CONTENT_OCTETS))
    const proxy = proxyBlock(listenPlain(ports.nginx), origin)
    const proxies = {
      portico: await startScript(ground, 'proxy-portico.ts', `${ports.portico}`, `${origin}`),
      nginx: await startNginx(ground, SERVER_CORE, 'proxy', proxy),
      haproxy: await startHaproxy(ground, { port: ports.haproxy, origin }, HAPROXY),
    }
    await Promise.all([origin, ...Object.values(ports)].map((port) => waitForPort(port)))
    const contenders = {
      portico: { port: ports.portico, peer: proxies.portico },
      nginx: { port: ports.nginx, peer: proxies.nginx },
      haproxy: { port: ports.haproxy, peer: proxies.haproxy },
    }
    const script = join(ground.folder, 'varied.lua')
    await writeFile(script, VARIED)
    const load = { connections: CONNECTIONS, seconds: SECONDS }
    const same = summarize(await compare(contenders, ROUNDS, (port) => runWrk(port, load)))
    const varied = summarize(await compare(contenders, ROUNDS, (port) => runWrk(port, { ...load, script })))
    print({ bench: 'proxy', ...same, varied }, json)
  } finally {
    await ground.leave()
  }
}

/** A target and a field of its own for every request. */
const VARIED = `local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/item/" .. n .. "?q=" .. (n % 977), { ["X-Request"] = tostring(n) })
end
`

function summarize(contenders: Contenders): { ratios: Ratios; contenders: Contenders } {
  const { portico, nginx, haproxy } = contenders
  return { ratios: { nginx: ratio(portico, nginx), haproxy: ratio(portico, haproxy) }, contenders }
}

const HAPROXY = {
  defaults: `  option http-keep-alive
  http-reuse always`,
  backend: `  option forwardfor
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Forwarded-Proto http
  http-request set-header Forwarded for=%[src];host=%[req.hdr(host)];proto=http
  http-request add-header Via "1.1 haproxy"
  http-response add-header Via "1.1 haproxy"`,
}

function print(result: ProxyBench, json: boolean): void {
  if (json) {
    console.log(JSON.stringify(result))
    return
  }
  console.log('Reverse proxy, 1 KiB over keep-alive connections, one core for the proxy')
  for (const [what, { ratios, contenders }] of [
    ['equal heads', result],
    ['varied heads', result.varied],
  ] as const) {
    console.table(contenders)
    console.log(
      `${what}, requests per second, ours / theirs: nginx ${ratios.nginx}, HAProxy ${ratios.haproxy}`,
    )
  }
}
