import { once } from 'node:events'
import net from 'node:net'
import { after } from 'node:test'
import { silent } from '#core/log.ts'
import { type HttpLimitsConfig, httpLimits } from '#http/config.ts'
import type { Exchange, ExchangeEnd, ExchangeNote } from '#http/exchange.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins, type Origins } from '#http/origin/origins.ts'
import { createHttpServer } from '#http/server.ts'
import type { OriginPlan, ServicePlan } from '#http/service-plan.ts'
import type { TransformPlan } from '#http/transform/plan.ts'
import { createTrust } from '#http/trust.ts'
import { transformedBy } from './transform.ts'

/** A Portico with one service, until the tests of the file have ended. */
export type StartedProxy = {
  readonly port: number
  readonly origins: Origins
  readonly ends: { readonly end: ExchangeEnd; readonly note: ExchangeNote }[]
}

export type ProxyOptions = {
  readonly limits?: HttpLimitsConfig
  readonly trust?: readonly string[]
  /** sees each exchange before it is passed on */
  readonly watch?: (exchange: Exchange) => void
  /** clients speak HTTP/2 with prior knowledge */
  readonly http2?: boolean
  readonly processId?: string
  /** what the route says of requests and responses */
  readonly transform?: TransformPlan | undefined
  /** where the pages of `transform` are */
  readonly folder?: string
  /** how the service is served beside its origins */
  readonly service?: Partial<ServicePlan>
  readonly portOf?: (processId: string) => number | null
}

const closers: (() => void | Promise<void>)[] = []
after(async () => {
  for (const close of closers.splice(0)) await close()
})

export async function startProxy(
  plans: readonly OriginPlan[],
  options: ProxyOptions = {},
): Promise<StartedProxy> {
  const limits = httpLimits(options.limits ?? {})
  const origins = createOrigins({
    limits,
    portOf: options.portOf ?? (() => null),
    folder: options.folder ?? '.',
  })
  const isTrusted = createTrust(options.trust ?? [])
  const processId = options.processId ?? null
  const action: ServicePlan = { kind: 'service', origins: plans, processId, ...options.service }
  const forward = createForward(action, { origins, pseudonym: 'portico', isTrusted })
  const handler = transformedBy(options.transform, forward, options.folder)
  const ends: StartedProxy['ends'] = []
  const server = createHttpServer({
    limits,
    handler: (exchange) => {
      exchange.onEnd = (end) => ends.push({ end, note: exchange.note })
      options.watch?.(exchange)
      handler(exchange)
    },
    log: silent,
  })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: options.http2 ?? false })
  listener.commit()
  closers.push(async () => {
    origins.close()
    await server.close(0)
  })
  return { port: listener.port, origins, ends }
}

/** A server of octets, until the tests of the file have ended. */
export async function startOrigin(serve: (socket: net.Socket, count: number) => void): Promise<number> {
  const sockets = new Set<net.Socket>()
  let count = 0
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
    serve(socket, ++count)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as net.AddressInfo).port
}

/** An origin that answers every request head with the same octets, and what it was asked. */
export async function startScript(
  answer: string | ((head: string, socket: net.Socket, count: number) => string | undefined),
): Promise<{ readonly port: number; readonly heads: string[]; readonly sockets: net.Socket[] }> {
  const heads: string[] = []
  const sockets: net.Socket[] = []
  const port = await startOrigin((socket) => {
    sockets.push(socket)
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const head = received.slice(0, end + 4)
        received = received.slice(end + 4)
        heads.push(head)
        const octets = typeof answer === 'string' ? answer : answer(head, socket, heads.length)
        if (octets !== undefined) socket.write(octets, 'latin1')
      }
    })
  })
  return { port, heads, sockets }
}

/**
 * Send octets on a new connection.
 *
 * @returns everything received until the server closes or `until` is seen, without Date
 */
export async function talk(
  port: number,
  steps: readonly (string | Buffer)[],
  until?: RegExp,
): Promise<string> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let received = ''
  const closed = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (until?.test(received)) resolve()
    })
    socket.on('end', resolve).on('close', () => resolve())
    socket.on('error', () => (received += '<reset>'))
  })
  for (const step of steps) socket.write(step, 'latin1')
  await closed
  socket.resetAndDestroy()
  return received.replace(/Date: [^\r]+ GMT\r\n/g, '')
}
