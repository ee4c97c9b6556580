import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exchange, Request } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { isRefusal, refuse } from '#http/wire/refusal.ts'
import type { Broadcast, Segment } from '#media/live/broadcast.ts'
import { initFile, segmentFile } from '#media/live/folder.ts'
import {
  FOREVER,
  FRESH,
  keptFor,
  type Lines,
  respondPieces,
  respondRefusal,
  respondText,
} from '#media/live/respond.ts'
import type { Stage } from '#media/live/stage.ts'
import type { Viewed, ViewedThing } from './asked.ts'
import { hasReached, judgeReload, readDirectives, WAIT_TARGETS } from './block.ts'
import { filmOf } from './film.ts'
import { liveManifest } from './manifest.ts'
import { type Piece, PiecesSource } from './pieces-source.ts'
import { mediaPlaylist, multivariantPlaylist } from './playlist.ts'

const PLAYLIST = 'application/vnd.apple.mpegurl'

/** Answer a viewer. */
export async function view(
  stage: Stage,
  exchange: Exchange,
  { stream, id, what }: Viewed,
  query: URLSearchParams,
): Promise<void> {
  const broadcast = id === null ? await stage.find(stream) : await stage.findBroadcast(stream, id)
  if (broadcast === undefined || !(await hasBegun(stage, broadcast))) {
    return respondRefusal(exchange, refuse(404, `there is no stream "${stream}"`))
  }
  const { client, fields } = exchange.request
  stage.viewers.see(stream, `${client.address} ${fields.get('user-agent') ?? ''}`, Date.now())
  switch (what.kind) {
    case 'multivariant':
      return respondText(exchange, PLAYLIST, multivariant(broadcast, id), FRESH)
    case 'playlist':
      return playlist(stage, exchange, broadcast, { track: what.track, query })
    case 'init':
      return respondFile(
        exchange,
        `${mediaType(what.track)}`,
        join(stage.folderOf(broadcast), initFile(what.track, what.number)),
      )
    case 'segment':
      return segment(stage, exchange, broadcast, what)
    case 'part':
      return part(stage, exchange, broadcast, what)
    case 'mpd':
      return respondText(
        exchange,
        'application/dash+xml',
        manifest(stage, broadcast, exchange.request, id),
        FRESH,
      )
    case 'time':
      return respondText(exchange, 'text/plain', Buffer.from(new Date().toISOString()), NOW)
    case 'film':
      return film(stage, exchange, broadcast)
  }
}

/** Players give up on a playlist without a segment: who comes early waits for the first. */
async function hasBegun(stage: Stage, broadcast: Broadcast): Promise<boolean> {
  const isDue = (): boolean => broadcast.segments.length > 0 || broadcast.state === 'ended'
  if (broadcast.state === 'live') await stage.wait(isDue, WAIT_TARGETS * broadcast.targetSeconds * 1000)
  return broadcast.segments.length > 0
}

function multivariant(broadcast: Broadcast, id: string | null): Buffer {
  return Buffer.from(multivariantPlaylist(broadcast, id === null ? `${broadcast.id}/` : ''))
}

/** Nobody may keep what time it is. */
const NOW: Lines = [
  ['Access-Control-Allow-Origin', '*'],
  ['Cache-Control', 'no-store'],
]

function manifest(
  { plan }: Stage,
  broadcast: Broadcast,
  { authority, client, target }: Request,
  id: string | null,
): Buffer {
  const base = id === null ? `${broadcast.id}/` : ''
  const folder = target.replace(/\?.*/s, '').replace(/[^/]*$/, '')
  const timeUrl = `${client.secure ? 'https' : 'http'}://${authority}${folder}time`
  return Buffer.from(
    liveManifest(broadcast, { base, timeUrl, nowMs: Date.now(), windowMs: plan?.windowMs ?? 0 }),
  )
}

/** What was live, as one file: when it is over. */
async function film(stage: Stage, exchange: Exchange, broadcast: Broadcast): Promise<void> {
  if (broadcast.state !== 'ended') {
    return respondRefusal(exchange, refuse(404, 'the film is there when the stream has ended'))
  }
  const pieces = await filmOf(broadcast, stage.folderOf(broadcast))
  const etag = ['ETag', `"${broadcast.id}-${broadcast.firstMsn}-${broadcast.nextMsn}"`] as const
  respondPieces(exchange, 'video/mp4', pieces, [...FRESH, etag])
}

async function playlist(
  stage: Stage,
  exchange: Exchange,
  broadcast: Broadcast,
  { track, query }: { readonly track: string; readonly query: URLSearchParams },
): Promise<void> {
  const index = trackIndex(broadcast, track)
  if (index === -1) return respondRefusal(exchange, refuse(404, `the stream has no track "${track}"`))
  const directives = readDirectives(query)
  if (isRefusal(directives)) return respondRefusal(exchange, directives)
  const { partSeconds } = broadcast.session!.tracks[index]!
  const verdict = judgeReload(broadcast, directives, partSeconds)
  if (isRefusal(verdict)) return respondRefusal(exchange, verdict)
  if (verdict === 'wait') {
    const askedMs = performance.now()
    const targetMs = broadcast.targetSeconds * 1000
    const hasCome = (): boolean =>
      broadcast.state === 'ended' || hasReached(broadcast, directives.msn!, directives.part)
    const isDue = (): boolean => broadcast.state === 'lost' || hasCome()
    if (!(await stage.wait(isDue, WAIT_TARGETS * targetMs)))
      return respondRefusal(exchange, refuse(503, 'the encoder is late: ask again'))
    // Without an encoder there is nothing new, and nobody's fault: the playlist says so, before hls.js gives up on it.
    await stage.wait(hasCome, Math.max(0, LOST_TARGETS * targetMs - (performance.now() - askedMs)))
  }
  const { msn, part, skip } = directives
  const isWhatWasAskedFor = broadcast.state === 'live' && msn !== null && hasReached(broadcast, msn, part)
  const lines = isWhatWasAskedFor ? keptFor(KEPT_TARGETS * broadcast.targetSeconds) : FRESH
  respondText(exchange, PLAYLIST, playlists.of(broadcast, index, skip), lines)
}

/** An encoder that comes back at once is waited for; hls.js waits 0.8 target durations for an answer, and asks again after one. */
const LOST_TARGETS = 0.7

/** Who asks for the same part within this time is one of many viewers: what stands between answers all but the first. */
const KEPT_TARGETS = 6

type Written = { readonly version: number; readonly octets: Buffer }

/** All viewers of a moment get the same octets. */
class Playlists {
  readonly #written = new WeakMap<Broadcast, Map<string, Written>>()

  of(broadcast: Broadcast, track: number, skip: boolean): Buffer {
    const ofBroadcast = this.#written.get(broadcast) ?? new Map<string, Written>()
    this.#written.set(broadcast, ofBroadcast)
    const key = `${track}${skip ? ' skip' : ''}`
    const written = ofBroadcast.get(key)
    if (written?.version === broadcast.version) return written.octets
    const octets = Buffer.from(mediaPlaylist(broadcast, track, skip))
    ofBroadcast.set(key, { version: broadcast.version, octets })
    return octets
  }
}

const playlists = new Playlists()

async function respondFile(exchange: Exchange, type: string, path: string): Promise<void> {
  const octets = await stat(path).then(
    ({ size }) => size,
    () => null,
  )
  if (octets === null) return respondRefusal(exchange, GONE)
  respondPieces(exchange, type, [{ path, from: 0, octets }], FOREVER)
}

const GONE = refuse(404, 'this is no longer there, or never was')

type Asked<Kind extends ViewedThing['kind']> = Extract<ViewedThing, { kind: Kind }>

/** A segment that grows is sent as it grows: players of DASH ask for it when its first part is there. */
async function segment(
  stage: Stage,
  exchange: Exchange,
  broadcast: Broadcast,
  { track, msn }: Asked<'segment'>,
): Promise<void> {
  const found = broadcast.segmentOf(msn)
  const path = join(stage.folderOf(broadcast), segmentFile(track, msn))
  // What has left the window is there a little longer.
  if (found === undefined)
    return msn < broadcast.firstMsn
      ? respondFile(exchange, mediaType(track), path)
      : respondRefusal(exchange, GONE)
  const index = found.session.tracks.findIndex(({ name }) => name === track)
  if (index === -1) return respondRefusal(exchange, GONE)
  if (found !== broadcast.open) {
    const piece = { path, from: 0, octets: found.tracks[index]!.octets }
    return respondPieces(exchange, mediaType(track), [piece], FOREVER)
  }
  const fields = fieldsOf([['Content-Type', mediaType(track)], ...FOREVER])
  const source = new PiecesSource(growing(stage, broadcast, { segment: found, index, path }))
  exchange.respond({ status: 200, fields, lengthOctets: null }, source)
}

type Growing = { readonly segment: Segment; readonly index: number; readonly path: string }

function growing(
  stage: Stage,
  broadcast: Broadcast,
  { segment, index, path }: Growing,
): () => Promise<Piece | null> {
  let sent = 0
  return async () => {
    const isOver = (): boolean => broadcast.open !== segment
    const hasMore = (): boolean => isOver() || segment.tracks[index]!.octets > sent
    const isThere = await stage.wait(hasMore, WAIT_TARGETS * broadcast.targetSeconds * 1000)
    if (!isThere) throw new Error('The encoder is silent')
    const octets = segment.tracks[index]!.octets - sent
    if (octets === 0) return null
    sent += octets
    return { path, from: sent - octets, octets }
  }
}

/** A part that was hinted at is waited for (RFC 8216bis §6.2.6). */
async function part(
  stage: Stage,
  exchange: Exchange,
  broadcast: Broadcast,
  { track, msn, part }: Asked<'part'>,
): Promise<void> {
  if (msn === broadcast.nextMsn && part === broadcast.openParts && broadcast.state === 'live') {
    const isDue = (): boolean => broadcast.state !== 'live' || hasReached(broadcast, msn, part)
    const isThere = await stage.wait(isDue, WAIT_TARGETS * broadcast.targetSeconds * 1000)
    if (!isThere) return respondRefusal(exchange, refuse(503, 'the encoder is late: ask again'))
  }
  const found = broadcast.segmentOf(msn)
  const index = found?.session.tracks.findIndex(({ name }) => name === track) ?? -1
  const stretch = found?.parts[part]?.tracks[index]
  if (found === undefined || stretch === undefined || stretch.octets === 0)
    return respondRefusal(exchange, GONE)
  const from = found.parts.slice(0, part).reduce((sum, { tracks }) => sum + tracks[index]!.octets, 0)
  const path = join(stage.folderOf(broadcast), segmentFile(track, msn))
  respondPieces(exchange, mediaType(track), [{ path, from, octets: stretch.octets }], FOREVER)
}

function trackIndex({ session }: Broadcast, track: string): number {
  return session?.tracks.findIndex(({ name }) => name === track) ?? -1
}

function mediaType(track: string): string {
  return track.startsWith('a') ? 'audio/mp4' : 'video/mp4'
}
