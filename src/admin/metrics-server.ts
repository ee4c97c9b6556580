import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { expose } from '#metrics/exposition.ts'
import type { Sample } from '#metrics/sample.ts'

export type MetricsServer = { readonly port: number; close(): Promise<void> }

/**
 * Answer `GET /metrics` on a listener of its own, to whoever reaches it.
 *
 * @throws {Error} when the port cannot be listened on
 */
export async function startMetrics(
  { address, port }: { readonly address: string; readonly port: number },
  samples: () => Promise<Sample[]>,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    request.resume()
    const { method = '', url = '/', headers } = request
    if (method !== 'GET' && method !== 'HEAD') return refuse(response, 405, { Allow: 'GET, HEAD' })
    if (url.split('?')[0] !== '/metrics') return refuse(response, 404, {})
    samples()
      .then((found) => {
        const { mediaType, text } = expose(found, headers.accept)
        response.writeHead(200, { 'Content-Type': mediaType }).end(text)
      })
      .catch(() => refuse(response, 500, {}))
  })
  server.requestTimeout = 10_000
  server.maxConnections = 64
  server.listen(port, address)
  await once(server, 'listening')
  const bound = server.address()
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function refuse(response: ServerResponse, status: number, fields: Readonly<Record<string, string>>): void {
  response.writeHead(status, { 'Content-Type': 'text/plain', ...fields }).end('Metrics are at /metrics.\n')
}
