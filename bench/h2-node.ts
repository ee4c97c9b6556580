/** `node:http2` with the same small answer, for the h2 bench: `h2-node.ts PORT OCTETS CERTIFICATE KEY`. */
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'

const [port, octets, certificate, key] = process.argv.slice(2)
const body = Buffer.alloc(Number(octets), 'x')
const server = http2.createSecureServer(
  { cert: readFileSync(certificate!), key: readFileSync(key!) },
  (_, response) => {
    response.setHeader('Content-Type', 'text/plain')
    response.setHeader('Content-Length', body.length)
    response.end(body)
  },
)
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
