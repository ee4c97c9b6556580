import { parseArgs } from 'node:util'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import { createHttpServer } from '#http/server.ts'
import { fieldsOf } from '#http/wire/fields.ts'

/**
 * Serve one stored response over HTTP/1.1, to be measured with a load generator on another core:
 *
 *   taskset -c 0 node bench/http1.ts --port 8089 --octets 1024
 *   taskset -c 1 wrk -t1 -c64 -d5 http://127.0.0.1:8089/
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '8089' }, octets: { type: 'string', default: '1024' } },
})
const body = Buffer.alloc(Number(values.octets), 'x')
const head = {
  status: 200,
  fields: fieldsOf([
    ['Content-Type', 'text/plain'],
    ['Cache-Control', 'max-age=60'],
  ]),
  lengthOctets: body.length,
}
const server = createHttpServer({
  limits: httpLimits(),
  handler: (exchange) => exchange.respond(head, body),
  log: silent,
})
const listener = await server.prepare({ address: '127.0.0.1', port: Number(values.port) })
listener.commit()
console.log(`http://127.0.0.1:${listener.port}/`)
process.once('SIGTERM', () => server.close(0))
