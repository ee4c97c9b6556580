/** Portico for the h2 benches: `h2-portico.ts PORT CERTIFICATE KEY OCTETS [ORIGIN_PORT]`. */
import { readFileSync } from 'node:fs'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Handler } from '#http/exchange.ts'
import { createForward } from '#http/forward.ts'
import { createOrigins } from '#http/origin/origins.ts'
import { createHttpServer } from '#http/server.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { originAt } from '../test/origin.ts'

const [port, certificate, key, octets, originPort] = process.argv.slice(2)
const limits = httpLimits()
const server = createHttpServer({ limits, handler: createHandler(), log: silent })
const listener = await server.prepare({
  address: '127.0.0.1',
  port: Number(port),
  tls: { cert: readFileSync(certificate!), key: readFileSync(key!), ALPNProtocols: ['h2', 'http/1.1'] },
})
listener.commit()

function createHandler(): Handler {
  if (originPort !== undefined) return createProxy(Number(originPort))
  const body = Buffer.alloc(Number(octets), 'x')
  const head = { status: 200, fields: fieldsOf([['Content-Type', 'text/plain']]), lengthOctets: body.length }
  return (exchange) => exchange.respond(head, body)
}

function createProxy(port: number): Handler {
  const origins = createOrigins({ limits, portOf: () => null })
  const action = { kind: 'service', origins: [originAt(port)], processId: null } as const
  return createForward(action, { origins, pseudonym: 'portico', isTrusted: () => false })
}
