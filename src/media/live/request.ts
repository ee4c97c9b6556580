import type { Refusal } from '#http/wire/refusal.ts'
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
  /** files of a stream come to this worker: which one takes them all? */
  | { readonly kind: 'lead'; readonly stream: string; readonly worker: number }
  /** it takes no more of them */
  | { readonly kind: 'yield'; readonly stream: string; readonly worker: number }
  /** octets for the worker that takes them */
  | { readonly kind: 'feed'; readonly worker: number; readonly fed: Fed }
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
  | { readonly kind: 'led'; readonly worker: number }
  | { readonly kind: 'fed'; readonly refusal: Refusal | null }
  /** another encoder sends it, and has sent nothing for so long */
  | { readonly kind: 'busy'; readonly quietMs: number }
  | { readonly kind: 'full'; readonly limit: number }
  /** it has ended, or another encoder has taken its place */
  | { readonly kind: 'gone' }
  | { readonly kind: 'done' }

/** Ask the register. */
export type AskLive = (request: LiveRequest) => Promise<LiveReply>

/** The register of a folder, for those who have something to tell it. */
export type Desk = { readonly root: string; ask(ask: LiveAsk): Promise<LiveReply> }

/** Octets of one of the files, or of the one pipe, that a stream comes by. */
export type Fed = {
  readonly stream: string
  /** what the octets belong to: files of one track, or of several, have one name */
  readonly input: string
  /** null: one pipe brings all */
  readonly file: FedFile | null
  /** null: nothing more will come of the stream */
  readonly octets: Uint8Array | null
  /** they are the first of a request, which begins with a whole box or packet */
  readonly begins: boolean
  /** they are what stands before the segments: when there were some, the encoder begins anew */
  readonly isInit: boolean
}

/** Which input a file belongs to, and which of its files it is. */
export type FilePlace = { readonly input: string; readonly number: number | null }

/** Files come by connections of their own, to several workers: these say in which order they are to be read. */
export type FedFile = {
  /** no other file has it */
  readonly id: string
  /** the last number in its name; null when there is none, and for what stands before segments */
  readonly number: number | null
  /** what its name says when the number of a variant stands right before that of the segment; null when it cannot */
  readonly variant: FilePlace | null
  /** nothing can be made of it without what stands before it */
  readonly needsInit: boolean
  /** nothing more comes of it, whole or not */
  readonly isOver: boolean
}

/** Octets of an encoder that another thread has read. */
export type LiveFeed = { readonly root: string; readonly fed: Fed }

/** News for all threads; `null`: nothing is left of the broadcast. */
export type LiveTold = {
  readonly root: string
  readonly stream: string
  readonly id: string
  readonly news: News | null
}
