import { readFileSync } from 'node:fs'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Handler } from '#http/exchange.ts'
import { createHttpServer } from '#http/server.ts'

/** Serve a handler on 127.0.0.1, over TLS when the files of a certificate and its key are named. */
export async function serveBench(handler: Handler, port: number, tls: readonly string[]): Promise<void> {
  const server = createHttpServer({ limits: httpLimits(), handler, log: silent })
  const [cert, key] = tls.map((file) => readFileSync(file))
  const secure = cert && key && { tls: { cert, key, ALPNProtocols: ['h2', 'http/1.1'] } }
  const listener = await server.prepare({ address: '127.0.0.1', port, ...secure })
  listener.commit()
}
