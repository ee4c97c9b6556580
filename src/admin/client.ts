import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ADMIN_FILE, type AdminAddress } from './server.ts'

/**
 * Ask a running Portico.
 *
 * @param stateFolder of the file that it serves
 * @param what such as `GET /status`
 * @param waitMs for the answer
 * @returns its answer, or null when none runs there
 * @throws {Error} when it answers with an error
 */
export async function askPortico(
  stateFolder: string,
  what: string,
  query: Record<string, string> | [string, string][] = {},
  waitMs = 30_000,
): Promise<unknown> {
  const address = await readAddress(stateFolder)
  if (address === null) return null
  const [method = 'GET', path = '/'] = what.split(' ')
  const response = await fetch(`${address.url}${path}?${new URLSearchParams(query)}`, {
    method,
    headers: { Authorization: `Bearer ${address.token}` },
    signal: AbortSignal.timeout(waitMs),
  }).catch((error: Error) => {
    // The file of one that was killed leads nowhere.
    if (error.name === 'TimeoutError') throw new Error(`Portico (process ${address.pid}) does not answer.`)
    return null
  })
  if (response === null || response.status === 401) return null
  const body: unknown = await response.json()
  if (response.ok) return body
  const said =
    typeof body === 'object' && body !== null && 'error' in body
      ? String(body.error)
      : `status ${response.status}`
  throw new Error(said)
}

async function readAddress(stateFolder: string): Promise<AdminAddress | null> {
  const text = await readFile(join(stateFolder, ADMIN_FILE), 'utf8').catch(() => null)
  if (text === null) return null
  try {
    return JSON.parse(text) as AdminAddress
  } catch {
    return null
  }
}
