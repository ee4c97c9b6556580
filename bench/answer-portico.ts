/** Portico with one small answer from memory, for the benches: `answer-portico.ts PORT OCTETS [CERTIFICATE KEY]`. */
import { fieldsOf } from '#http/wire/fields.ts'
import { serveBench } from './portico.ts'

const [port, octets, ...tls] = process.argv.slice(2)
const body = Buffer.alloc(Number(octets), 'x')
const head = { status: 200, fields: fieldsOf([['Content-Type', 'text/plain']]), lengthOctets: body.length }
await serveBench((exchange) => exchange.respond(head, body), Number(port), tls)

// How much memory is in use can only be told from inside.
process.on('SIGUSR2', () => {
  gc?.()
  console.log(`heap ${process.memoryUsage().heapUsed}`)
})
