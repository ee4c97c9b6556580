import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'
import { isRefusal, type Refusal, refuse } from '#http/wire/refusal.ts'
import { EncoderFault } from '#media/live/encoder/encoder.ts'
import { ingest } from '#media/live/encoder/ingest.ts'
import { putFile } from '#media/live/encoder/put-file.ts'
import { readPage, readPublished, readViewed } from '#media/live/view/asked.ts'
import { view } from '#media/live/view/view.ts'
import type { PlayerFilm } from '#media/player/page.ts'
import { createPlayer } from '#media/player/serve.ts'
import { admitPublisher, type PublishKey, readPublishKeys } from './admit.ts'
import type { LivePlan } from './plan.ts'
import { type Lines, respondEmpty, respondRefusal } from './respond.ts'
import type { Stage } from './stage.ts'

export type LiveOptions = {
  /** folder of the file */
  readonly folder: string
  /** what is on air from a folder; the same object for the same folder */
  readonly stageOf: (root: string) => Stage
  readonly worker: number
  readonly log: Log
}

const ALLOW: Lines = [['Allow', 'GET, HEAD, PUT, POST, DELETE, OPTIONS']]
/** Tracks of one request come side by side. */
const LATE_SECONDS = 2
/** Players on pages of other sites may ask for ranges, and say what CMCD says. */
const PREFLIGHT: Lines = [
  ['Access-Control-Allow-Origin', '*'],
  ['Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS'],
  ['Access-Control-Allow-Headers', 'Range, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session'],
]

/** Create the handler of live streams: encoders and viewers are told apart by their methods. */
export function createLive(plan: LivePlan, { folder, stageOf, worker, log }: LiveOptions): Handler {
  const stage = stageOf(resolve(folder, plan.root))
  stage.plan = plan
  const keys = plan.keyFile === null ? [] : readKeys(resolve(folder, plan.keyFile), log)

  const player = createPlayer((error) => log('error', 'player page not read', { error: String(error) }))

  return (exchange) => {
    exchange.note.answeredBy = 'live'
    serve(exchange).catch((error: unknown) => {
      if (error instanceof EncoderFault) return respondRefusal(exchange, error.refusal)
      log('error', 'live/failed', { target: exchange.request.target, error: describe(error) })
      respondRefusal(exchange, refusalOf(error))
    })
  }

  async function serve(exchange: Exchange): Promise<void> {
    const { method, target } = exchange.request
    const [path = '', query = ''] = target.split(/\?(.*)/s, 2)
    if (method === 'GET' || method === 'HEAD') {
      const page = plan.player === null ? null : readPage(path)
      if (page !== null && player.serve(exchange, page.name, filmOfPage(page.stream, plan.player!))) return
      const viewed = readViewed(path)
      if (viewed === null) return respondRefusal(exchange, refuse(404, NAMES))
      return view(stage, exchange, viewed, new URLSearchParams(query))
    }
    if (method === 'OPTIONS') return respondEmpty(exchange, 204, PREFLIGHT)
    if (!['PUT', 'POST', 'DELETE'].includes(method)) return respondEmpty(exchange, 405, ALLOW)
    const published = readPublished(path)
    if (published === null)
      return respondRefusal(exchange, refuse(404, 'a stream is sent to a path such as /studio'))
    const admitted = admitPublisher(plan, keys, exchange.request, published.stream)
    if (isRefusal(admitted)) return respondRefusal(exchange, admitted)
    exchange.note.reason = admitted
    if (method === 'DELETE') return end(exchange, published.stream, published.file)
    const { stream, file } = published
    if (file !== null) return putFile(exchange, { stage, stream, plan, worker, file })
    return ingest(exchange, { desk: stage, stream, plan, worker, lateSeconds: LATE_SECONDS })
  }

  /** Encoders that write segments delete the old ones, too: what there is to delete is ours to know. */
  async function end(exchange: Exchange, stream: string, file: string | null): Promise<void> {
    if (file !== null) return respondEmpty(exchange, 204)
    const reply = await stage.ask({ kind: 'end', stream })
    if (reply.kind === 'done') return respondEmpty(exchange, 204)
    respondRefusal(exchange, refuse(404, `there is no stream "${stream}"`))
  }
}

/** Whether the stream is on air is for the page to find out: it waits for one that is not. */
function filmOfPage(stream: string, player: NonNullable<LivePlan['player']>): PlayerFilm {
  const nothing = { file: '', storyboard: '', keyOrigin: '' }
  return { title: stream, formats: ['hls', 'dash'], player, isLive: true, ...nothing }
}

const NAMES = 'a stream is played at /NAME/index.m3u8 or /NAME/manifest.mpd'

function readKeys(path: string, log: Log): PublishKey[] {
  try {
    const keys = readPublishKeys(readFileSync(path, 'utf8'))
    if (keys.length === 0) throw new Error('it has no key of 16 characters or more')
    return keys
  } catch (error) {
    log('error', 'live/key', { file: path, error: String(error) })
    return []
  }
}

function refusalOf(error: unknown): Refusal {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT') return refuse(507, 'the disk is full')
  return refuse(500, 'the stream could not be followed')
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
