import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// `npm start`: three services as three programs, and Portico in front of them.
// A service on a fixed port is what most people have already; "run" in the file would let Portico start it instead.
const service = fileURLToPath(new URL('service.ts', import.meta.url))
const services = [8081, 8082, 8083].map((port) => fork(service, [String(port)]))
process.on('exit', () => {
  for (const child of services) child.kill()
})

process.argv.splice(2, Infinity, 'up', '--dev', '--config', 'examples/subdomains/portico.jsonc')
await import('../../src/main.ts')
