import type { LiveConfig } from './config.ts'

/** What a route of live streams does; every option is said. */
export type LivePlan = {
  readonly kind: 'live'
  /** as written: relative to the folder of the file */
  readonly root: string
  /** null: no key is asked for */
  readonly keyFile: string | null
  /** who may publish without a key; `admitted` is whoever the route's `access` lets in */
  readonly publishers: 'keys' | 'admitted' | 'local'
  readonly segmentMs: number
  readonly partMs: number
  readonly windowMs: number
  readonly spaceOctets: number
  readonly silenceMs: number
  readonly resumeMs: number
  readonly recordingMs: number
  readonly tracksLimit: number
  readonly bufferOctets: number
  /** what plays a stream on its page; null: there is no page */
  readonly player: 'hls' | 'dash' | 'browser' | null
  /** what ffmpeg receives or fetches, by the name of the stream */
  readonly sources: readonly LiveSource[]
}

export type LiveSource = { readonly name: string; readonly url: string }

/**
 * Fill in what was not written.
 *
 * @param isGuarded the route has `access`
 */
export function planLive(written: LiveConfig, isGuarded: boolean): LivePlan {
  const options = typeof written === 'string' ? { root: written } : written
  const keyFile = options.key ?? null
  return {
    kind: 'live',
    root: options.root,
    keyFile,
    publishers: keyFile !== null ? 'keys' : isGuarded ? 'admitted' : 'local',
    segmentMs: options.segment ?? 4000,
    partMs: options.part ?? 400,
    windowMs: options.window ?? 2 * HOUR_MS,
    spaceOctets: options.space ?? 20e9,
    silenceMs: options.silence ?? 10_000,
    resumeMs: options.resume ?? 30_000,
    recordingMs: options.recording ?? 7 * 24 * HOUR_MS,
    tracksLimit: options.tracks ?? 16,
    bufferOctets: options.buffer ?? 32 * 2 ** 20,
    player: options.player === 'none' ? null : (options.player ?? 'hls'),
    sources: Object.entries(options.sources ?? {}).map(([name, url]) => ({ name, url })),
  }
}

const HOUR_MS = 3_600_000
