/** A whole Portico that answers by itself, for the bench of workers: `workers-portico.ts PORT WORKERS STATE`. */
import { start } from '../src/portico.ts'

const [port, workers, state] = process.argv.slice(2)
const listen = { http: `127.0.0.1:${port}`, https: 'off', dns: 'off', admin: 'off' }
const www = { respond: 'x'.repeat(1024), http: 'serve' }
const domains = { 'example.com': { hosts: { www } } }
const config = { address: '203.0.113.10', workers: Number(workers), state, listen, domains }
const portico = await start({ config, folder: '.' })
process.once('SIGTERM', () => void portico.stop(0))
