import type { StreamConfig } from './config.ts'

/** How a route streams its films; every option is said. */
export type StreamPlan = {
  readonly segmentMs: number
  readonly hls: boolean
  readonly dash: boolean
  /** HLS with MPEG-TS segments too */
  readonly ts: boolean
  /** what plays on the page of a film; null: there is no page */
  readonly player: 'hls' | 'dash' | 'browser' | null
  readonly group: 'name' | 'folder' | 'none'
  /** what may stand after the name of a film that lies where nothing can be listed */
  readonly names: readonly string[]
  /** value of Access-Control-Allow-Origin; null: none */
  readonly cors: string | null
  /** keys of signed URLs; empty: nothing need be signed */
  readonly signKeys: readonly SignKeyPlan[]
  /** file of the secret that keys of films are made of; null: not encrypted */
  readonly encryptFile: string | null
  /** where players get keys, with `{film}`, `{version}` and `{signature}` in it; null: from us */
  readonly keyUrl: string | null
  readonly prefetch: boolean
}

/** A key; its secret is in a file. */
export type SignKeyPlan = {
  readonly id: string
  readonly secretFile: string
  /** only paths that begin so, without their first slash */
  readonly prefix: string
}

/**
 * Fill in what was not written.
 *
 * @param keys of the bucket that has the films, where reading needs one: they sign streams too
 * @returns undefined when films are not streamed
 */
export function planStream(
  written: StreamConfig | undefined,
  keys: readonly SignKeyPlan[] = [],
): StreamPlan | undefined {
  if (written === undefined || written === false) return undefined
  const options = written === true ? {} : written
  const formats = options.formats ?? ['hls', 'dash']
  const cors = options.cors ?? '*'
  const own = Object.entries(options.sign ?? {}).map(([id, secretFile]) => ({ id, secretFile, prefix: '' }))
  const encrypt = typeof options.encrypt === 'string' ? { secret: options.encrypt } : options.encrypt
  const encryptFile = encrypt?.secret ?? null
  return {
    segmentMs: options.segment ?? 6000,
    hls: formats.includes('hls'),
    // DASH has no AES-128 of whole segments: in the clear beside the encrypted ones, it would give the film away.
    dash: formats.includes('dash') && encryptFile === null,
    ts: options.ts ?? false,
    player: options.player === 'none' ? null : (options.player ?? 'hls'),
    group: options.group ?? 'name',
    names: options.names ?? [],
    cors: cors === 'none' ? null : cors,
    signKeys: own.length > 0 ? own : keys,
    encryptFile,
    keyUrl: encrypt?.url ?? null,
    prefetch: options.prefetch ?? true,
  }
}
