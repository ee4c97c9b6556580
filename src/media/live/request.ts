import type { LiveTrack, News, SavedBroadcast } from './news.ts'

/** What workers ask the register of a folder for; plain values, for they cross threads. */
export type LiveRequest = {
  /** absolute path of the folder */
  readonly root: string
  readonly ask: LiveAsk
}

export type LiveAsk =
  /** what there is; all news is told from then on */
  | { readonly kind: 'open' }
  /** an encoder has said what its tracks are, and has sent its first sample */
  | {
      readonly kind: 'begin'
      readonly stream: string
      readonly worker: number
      readonly tracks: readonly LiveTrack[]
    }
  /** of the encoder with this ticket */
  | { readonly kind: 'news'; readonly stream: string; readonly ticket: number; readonly news: News }
  | { readonly kind: 'leave'; readonly stream: string; readonly ticket: number; readonly why: string }
  /** end it now */
  | { readonly kind: 'end'; readonly stream: string }

export type LiveReply =
  | { readonly kind: 'open'; readonly broadcasts: readonly SavedBroadcast[] }
  | {
      readonly kind: 'begun'
      readonly ticket: number
      /** of the broadcast, which names its folder */
      readonly id: string
      readonly targetSeconds: number
      /** what its tracks hold from now on */
      readonly session: Extract<News, { kind: 'encoder' }>
      /** of the first segment */
      readonly msn: number
    }
  | { readonly kind: 'busy'; readonly sinceMs: number }
  | { readonly kind: 'full'; readonly limit: number }
  /** it has ended, or another encoder has taken its place */
  | { readonly kind: 'gone' }
  | { readonly kind: 'done' }

/** Ask the register. */
export type AskLive = (request: LiveRequest) => Promise<LiveReply>

/** News for all threads; `null`: nothing is left of the broadcast. */
export type LiveTold = {
  readonly root: string
  readonly stream: string
  readonly id: string
  readonly news: News | null
}
