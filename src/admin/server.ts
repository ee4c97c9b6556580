import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { messageOf } from '#core/errors.ts'
import { replaceFile } from '#core/state-file.ts'

/** What the command line may ask; each answers plain JSON, or a text. */
export type AdminRoutes = Readonly<Record<string, (query: URLSearchParams, accept: string) => unknown>>

/** An answer that is no JSON. */
export class TextAnswer {
  readonly mediaType: string
  readonly text: string

  constructor({ mediaType, text }: { readonly mediaType: string; readonly text: string }) {
    this.mediaType = mediaType
    this.text = text
  }
}

/** Where a running Portico answers the command line: kept in state, readable by its owner only. */
export type AdminAddress = { readonly url: string; readonly token: string; readonly pid: number }

export type Admin = {
  readonly address: AdminAddress
  close(): Promise<void>
}

export type AdminOptions = {
  readonly host: string
  readonly port: number
  /** when the port is taken, take another one: clients find it in state */
  readonly mayMove: boolean
  readonly stateFolder: string
  /** `GET /status`, `POST /reload` … */
  readonly routes: AdminRoutes
}

/** Name of the file in state that says where to ask. */
export const ADMIN_FILE = 'admin.json'

/**
 * Answer the command line on loopback.
 *
 * A token is asked for, because every user of the machine and every page in a browser can reach loopback.
 *
 * @throws {Error} when the port cannot be listened on, or the state not written; nothing is open then
 */
export async function startAdmin(options: AdminOptions): Promise<Admin> {
  const token = randomBytes(32).toString('base64url')
  const server = createServer((request, response) => void answer(request, response, token, options.routes))
  server.requestTimeout = 10_000
  server.maxConnections = 64
  const port = await listen(server, options)
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  const address = { url: `http://${host}:${port}`, token, pid: process.pid }
  const path = join(options.stateFolder, ADMIN_FILE)
  try {
    await replaceFile(path, `${JSON.stringify(address)}\n`, 0o600)
  } catch (error) {
    await close()
    throw new Error(`Cannot write ${path}: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    })
  }
  return { address, close }

  async function close(): Promise<void> {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    // A state folder that went away has nothing left to remove.
    await Promise.all([closed, rm(path, { force: true }).catch(() => {})])
  }
}

async function listen(server: Server, { host, port, mayMove }: AdminOptions): Promise<number> {
  const ports = mayMove ? [port, 0] : [port]
  for (const candidate of ports) {
    server.listen(candidate, host)
    const error = await once(server, 'listening').then(
      () => undefined,
      (failure: Error) => failure,
    )
    const address = server.address()
    if (error === undefined && typeof address === 'object' && address !== null) return address.port
    if (candidate === ports.at(-1)) throw error
  }
  return 0
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  routes: AdminRoutes,
): Promise<void> {
  request.resume()
  const url = new URL(request.url ?? '/', 'http://admin')
  const route = routes[`${request.method} ${url.pathname}`]
  if (!isAuthorized(request, token))
    return send(response, 401, { error: 'The token of the state folder is wanted.' })
  if (route === undefined)
    return send(response, 404, { error: `Nothing answers ${request.method} ${url.pathname}.` })
  try {
    send(response, 200, await route(url.searchParams, request.headers.accept ?? ''))
  } catch (error) {
    send(response, 500, { error: messageOf(error) })
  }
}

/** Hashes first: `timingSafeEqual` wants equal lengths, and the length is nobody's business either. */
function isAuthorized(request: IncomingMessage, token: string): boolean {
  const given = createHash('sha256')
    .update(request.headers.authorization ?? '')
    .digest()
  return timingSafeEqual(given, createHash('sha256').update(`Bearer ${token}`).digest())
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (value instanceof TextAnswer) {
    response.writeHead(status, { 'Content-Type': value.mediaType }).end(value.text)
    return
  }
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
}
