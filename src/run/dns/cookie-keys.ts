import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readIfThere, replaceFile } from '#core/state-file.ts'

/** Keys that DNS cookies are made with, kept in state so that clients' cookies outlive a restart. */
export type CookieKeys = {
  /** the one in use, and the one before it (RFC 9018 §5) */
  current(): readonly Uint8Array[]
  /** Take a new key when the one in use is old; whether it was. */
  renew(): Promise<boolean>
}

type Saved = { readonly keys: readonly string[]; readonly sinceMs: number }

/** RFC 7873 §7.1 asks for a day or so, and for no more than 36 days. */
const LIFETIME_MS = 86_400_000
const KEY_OCTETS = 16

/**
 * Load the keys, or make the first.
 *
 * @throws {Error} when the file is there and cannot be read or written
 */
export async function loadCookieKeys(stateFolder: string, now: () => number): Promise<CookieKeys> {
  const path = join(stateFolder, 'dns', 'cookie-keys.json')
  let saved = parse(await readIfThere(path)) ?? { keys: [], sinceMs: 0 }

  async function renew(): Promise<boolean> {
    const ageMs = now() - saved.sinceMs
    if (saved.keys.length > 0 && ageMs >= 0 && ageMs < LIFETIME_MS) return false
    const next = {
      keys: [randomBytes(KEY_OCTETS).toString('hex'), ...saved.keys.slice(0, 1)],
      sinceMs: now(),
    }
    await replaceFile(path, JSON.stringify(next), 0o600)
    saved = next
    return true
  }

  await renew()
  return { current: () => saved.keys.map((key) => Buffer.from(key, 'hex')), renew }
}

function parse(text: string | null): Saved | undefined {
  if (text === null) return undefined
  try {
    const { keys, sinceMs } = JSON.parse(text) as Partial<Saved>
    const isWhole = Array.isArray(keys) && keys.every((key) => /^[0-9a-f]{32}$/.test(String(key)))
    return isWhole && typeof sinceMs === 'number' ? { keys, sinceMs } : undefined
  } catch {
    return undefined
  }
}
