import type { ExchangeNote, Request } from './exchange.ts'

/** A response under way, as whoever looks at it sees it: plain JSON. */
export type Transfer = {
  /** the same from look to look: who receives it, and since when */
  readonly id: string
  /** address of the client */
  readonly client: string
  readonly method: string
  /** authority and target */
  readonly url: string
  readonly version: string
  readonly status: number
  readonly routeId: string
  readonly answeredBy: string
  /** of the content, in octets; null when it is not known before the end */
  readonly lengthOctets: number | null
  /** octets of content that the client's socket has taken */
  readonly sentOctets: number
  /** octets that were read for this client and that it has not taken */
  readonly aheadOctets: number
  /** how long the client has taken nothing, while there was something to take; 0 when it takes octets */
  readonly pausedMs: number
  readonly ageMs: number
}

/** What a connection knows of a response; the rest stands in its request and its note. */
export type Progress = Pick<
  Transfer,
  'status' | 'lengthOctets' | 'sentOctets' | 'aheadOctets' | 'pausedMs'
> & {
  /** tells apart the streams of a connection */
  readonly stream: number
}

/** A client that has taken nothing for so long is paused: a fast line stops for less between two windows. */
export const PAUSED_MS = 1000

/** What is seen of a response, by what its connection, its request and its note say. */
export function transferOf(request: Request, note: ExchangeNote, progress: Progress): Transfer {
  const { stream, ...rest } = progress
  const { client, method, authority, target, version } = request
  const startedAt = Number.isNaN(note.startedAt) ? note.answeredAt : note.startedAt
  return {
    id: `${client.address} ${client.port} ${stream} ${Math.round(performance.timeOrigin + startedAt)}`,
    client: client.address,
    method,
    url: `${authority}${target}`,
    version,
    routeId: note.routeId,
    answeredBy: note.answeredBy,
    ageMs: Math.max(0, performance.now() - startedAt),
    ...rest,
    pausedMs: progress.pausedMs < PAUSED_MS ? 0 : progress.pausedMs,
  }
}

/** Responses under way: how many there are, and those that have been so longest. */
export type Transfers = {
  readonly count: number
  readonly paused: number
  readonly aheadOctets: number
  readonly list: readonly Transfer[]
}

/** Those that are told one by one: more fit on no screen. */
export const LIMIT_LISTED = 1000

/** Count responses under way, and keep those that have been so longest. */
export function summarize(transfers: readonly Transfer[]): Transfers {
  return {
    count: transfers.length,
    paused: transfers.filter(({ pausedMs }) => pausedMs > 0).length,
    aheadOctets: transfers.reduce((sum, { aheadOctets }) => sum + aheadOctets, 0),
    list: longest(transfers),
  }
}

/** Those of several workers as one. */
export function joinTransfers(parts: readonly Transfers[]): Transfers {
  const sum = (of: 'count' | 'paused' | 'aheadOctets'): number =>
    parts.reduce((total, part) => total + part[of], 0)
  return {
    count: sum('count'),
    paused: sum('paused'),
    aheadOctets: sum('aheadOctets'),
    list: longest(parts.flatMap(({ list }) => list)),
  }
}

function longest(transfers: readonly Transfer[]): Transfer[] {
  return transfers.toSorted((a, b) => b.ageMs - a.ageMs).slice(0, LIMIT_LISTED)
}
