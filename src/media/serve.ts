import { randomBytes } from 'node:crypto'
import type { Log } from '#core/log.ts'
import type { Exchange, Handler, Request } from '#http/exchange.ts'
import { fieldsOf, noFields } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { pathOf } from '#http/wire/path.ts'
import { decodeName, type List, requireTitle } from '#media/offer/open-title.ts'
import { isList, listOf, type PlaylistOptions } from '#media/offer/playlists.ts'
import { createEncryption } from '#media/segment/encryption.ts'
import { makeAhead, nextTarget } from './ahead.ts'
import type { FilmMemory } from './film-memory.ts'
import { createFilms } from './films.ts'
import { createGate, type Gate, readSecret } from './gate.ts'
import { OpenedExchange } from './opened-exchange.ts'
import type { StreamPlan } from './plan.ts'
import type { PlayerFilm } from './player/page.ts'
import { createPlayer, type Player } from './player/serve.ts'
import { readKept } from './read-kept.ts'
import { createRender } from './render.ts'
import { takeReports } from './reports.ts'
import { respondContent, respondFault } from './respond.ts'
import type { Sessions } from './sessions.ts'
import { type Below, openSource } from './source-file.ts'
import type { Turns } from './turns.ts'
import { type Cmcd, readCmcd } from './wire/cmcd.ts'
import { MediaFault } from './wire/fault.ts'
import {
  folderOf,
  isFilm,
  isStoryboard,
  type MediaTarget,
  nameOfPart,
  parseMediaTarget,
} from './wire/media-path.ts'

export type MediaOptions = {
  /** the handler of the route, for what is not ours; and the same for what we read ourselves */
  readonly below: Handler
  readonly source: Handler
  /** Puts the cache before what makes segments and indexes. */
  readonly keep: (render: Handler) => Handler
  readonly list: List
  /** only those may play who are let in: what passes on the way to them keeps nothing */
  readonly isPrivate: boolean
  /** of the file: where paths of secrets begin */
  readonly folder: string
  /** milliseconds since 1970, and such that never go back */
  readonly now: () => number
  readonly monotonic: () => number
  readonly log: Log
  /** of the whole worker: players that are heard of, how many films are read at a time, and what they hold */
  readonly sessions: Sessions
  readonly turns: Turns
  readonly filmMemory: FilmMemory
}

type Media = MediaOptions &
  PlaylistOptions & { readonly kept: Handler; readonly player: Player; readonly gate: Gate | null }

/**
 * Put streaming before the handler of a route: what is asked of a film below its path is made; all else passes.
 *
 * @example createMedia(route.stream, { below: createFiles(…), keep: (render) => createCache(…, render), … })
 */
export function createMedia(plan: StreamPlan, options: MediaOptions): Handler {
  const { source, keep, now, monotonic, log, folder, sessions, turns } = options
  const { segmentMs } = plan
  const encryption =
    plan.encryptFile === null ? null : createEncryption(secretOr(folder, plan.encryptFile, log))
  const films = createFilms({
    segmentMs,
    make: encryption?.make ?? '',
    now: monotonic,
    memory: options.filmMemory,
    index: ({ request }, path, tag) =>
      readKept(kept, request, `${path}/${nameOfPart({ kind: 'movie', tag })}`),
  })
  const kept = keep(
    createRender({ source, films, segmentMs, encryption, now, monotonic, turns, counts: sessions.counts }),
  )
  const player = createPlayer((error) => log('error', 'player page not read', { error: String(error) }))
  const gate = createGate(plan.signKeys, folder, log)
  const media: Media = { ...options, plan, films, encryption, kept, player, gate }
  const opened = { cors: plan.cors, isPrivate: options.isPrivate || gate !== null }
  return (exchange) => {
    const target = parseMediaTarget(exchange.request.target, plan.group === 'folder')
    if (target === null || target.part.kind === 'movie') return passBelow(media, exchange)
    const cmcd = readCmcd(target.query, exchange.request.fields)
    serve(media, new OpenedExchange(exchange, { ...opened, cmcd, monotonic }), target, cmcd)
  }
}

/** A secret that cannot be read is one that nobody knows: what is encrypted with it stays closed. */
function secretOr(folder: string, file: string, log: Log): string {
  try {
    return readSecret(folder, file)
  } catch (error) {
    log('error', 'stream/encrypt', { file, error: String(error) })
    return randomBytes(32).toString('hex')
  }
}

/** Where URLs are signed, those of whole films are, too. */
function passBelow({ gate, below, now }: Media, exchange: Exchange): void {
  const { request } = exchange
  const path = pathOf(request.target)
  if (gate !== null && (isFilm(path) || isStoryboard(path)) && isRead(request.method)) {
    try {
      gate.admit(request, path, now())
    } catch (error) {
      return respondFault(exchange, error)
    }
  }
  below(exchange)
}

function serve(media: Media, exchange: Exchange, target: MediaTarget, cmcd: Cmcd | null): void {
  const { request } = exchange
  exchange.note.answeredBy = 'media'
  if (request.method === 'OPTIONS') return respondOptions(exchange)
  if (target.part.kind === 'reports') return takeReports(media, exchange, target.asset)
  if (!isRead(request.method)) {
    const detail = 'Streams are read with GET and HEAD.'
    const fields: [string, string][] = [['Allow', 'GET, HEAD, OPTIONS']]
    return respondPage(exchange, { status: 405, detail, fault: 'client', fields })
  }
  answer(media, exchange, target, cmcd).catch((error: unknown) => respondFault(exchange, error))
}

async function answer(
  media: Media,
  exchange: Exchange,
  target: MediaTarget,
  cmcd: Cmcd | null,
): Promise<void> {
  const { request } = exchange
  const { asset, part } = target
  const { gate, encryption, plan, player, now } = media
  // Scripts of the page are the same for all films.
  const isOpen = gate === null || (part.kind === 'page' && part.name !== 'play')
  const sound = 'sound' in part ? part.sound?.of : null
  const beside = sound == null ? asset : folderOf(asset) + sound.name
  const signature = isOpen ? '' : gate.admit(request, asset, now(), beside)
  if (cmcd !== null) hear(media, request, asset, cmcd)
  const below: Below = { handler: media.source, request }
  if (part.kind === 'page') {
    const isPage = part.name === 'play' && plan.player !== null
    if (isPage) await requireTitle(media, below, asset)
    // What the page loads lies beside it: a signature of the page alone is not good for that.
    if (signature !== '' && !/(?:^|&)prefix=/.test(target.query)) return redirectPage(exchange, signature)
    const storyboard = isPage ? await storyboardOf(below, asset) : ''
    const film = plan.player !== null && { ...filmOfPage(target, plan), player: plan.player, storyboard }
    if (!film || !player.serve(exchange, part.name, film)) media.below(exchange)
    return
  }
  if (part.kind === 'key')
    return respondKey(exchange, plan.keyUrl === null ? encryption?.keyOf(asset, part.tag) : undefined)
  // The query is for us alone: one stored segment answers all.
  if (!isList(part)) return media.kept(exchange)
  const list = await listOf(media, below, { ...target, part }, signature)
  exchange.note.reason = part.kind
  respondContent(exchange, list, now())
}

/** Note what a player says of itself, and have made what it asks for next. */
function hear({ sessions, plan, kept, now }: Media, request: Request, film: string, cmcd: Cmcd): void {
  sessions.hear(cmcd, { client: request.client.address, film, nowMs: now() })
  const next = plan.prefetch ? nextTarget(cmcd, request) : null
  if (next !== null) makeAhead(kept, request, next)
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

function redirectPage(exchange: Exchange, signature: string): void {
  const fields = fieldsOf([
    ['Location', `play${signature}`],
    ['Cache-Control', 'no-store'],
  ])
  exchange.respond({ status: 302, fields, lengthOctets: 0 }, null)
}

/** RFC 8216bis §5.1: 16 octets; nobody on the way keeps them. */
function respondKey(exchange: Exchange, key: Uint8Array | undefined): void {
  if (key === undefined) throw new MediaFault('There is no key here', 404)
  const fields = fieldsOf([
    ['Content-Type', 'application/octet-stream'],
    ['Cache-Control', 'no-store'],
  ])
  exchange.note.reason = 'key'
  exchange.respond({ status: 200, fields, lengthOctets: key.length }, key)
}

function filmOfPage(
  { asset }: MediaTarget,
  { hls, dash, keyUrl }: StreamPlan,
): Omit<PlayerFilm, 'player' | 'storyboard'> {
  const name = asset.slice(asset.lastIndexOf('/') + 1)
  const formats = [...(hls ? (['hls'] as const) : []), ...(dash ? (['dash'] as const) : [])]
  const keyOrigin = keyUrl?.startsWith('http') === true ? new URL(keyUrl).origin : ''
  return {
    title: decodeName(name) ?? name,
    formats,
    file: isFilm(asset) ? `../${name}` : '',
    keyOrigin,
    isLive: false,
  }
}

/** Small pictures of a film, which `portico transcode --storyboard` makes beside it. */
async function storyboardOf(below: Below, asset: string): Promise<string> {
  const name = `${asset.slice(folderOf(asset).length).replace(/\.\w+$/, '')}.storyboard.vtt`
  if (!isFilm(asset)) return ''
  return openSource(below, folderOf(asset) + name).then(
    () => `../${name}`,
    () => '',
  )
}

/** What browsers ask before they ask with fields of their own (Fetch, CORS-preflight). */
function respondOptions(exchange: Exchange): void {
  exchange.respond({ status: 204, fields: noFields, lengthOctets: 0 }, null)
}
