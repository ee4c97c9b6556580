import type { Exchange, Handler, Request, Source } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import { noFields } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { mpdOf } from './describe.ts'
import { createFilms, type Films } from './films.ts'
import { multivariantOf, offerOf } from './offer.ts'
import { type List, openTitle } from './open-title.ts'
import { OpenedExchange } from './opened-exchange.ts'
import type { StreamPlan } from './plan.ts'
import { createRender, HLS_TYPE } from './render.ts'
import { etagOf, respondContent, respondFault } from './respond.ts'
import type { Below } from './source-file.ts'
import { MediaFault } from './wire/fault.ts'
import { type MediaTarget, nameOfPart, parseMediaTarget } from './wire/media-path.ts'
import { writeMpd } from './wire/mpd.ts'
import { writeMultivariant } from './wire/multivariant.ts'

export type MediaOptions = {
  /** the handler of the route, which has the films */
  readonly below: Handler
  /** Puts the cache before what makes segments and indexes. */
  readonly keep: (render: Handler) => Handler
  readonly list: List
  /** only those may play who are let in: what passes on the way to them keeps nothing */
  readonly isPrivate: boolean
  /** milliseconds since 1970, and such that never go back */
  readonly now: () => number
  readonly monotonic: () => number
}

type Media = MediaOptions & { readonly plan: StreamPlan; readonly films: Films; readonly kept: Handler }

/**
 * Put streaming before the handler of a route: what is asked of a film below its path is made; all else passes.
 *
 * @example createMedia(route.stream, { below: createFiles(…), keep: (render) => createCache(…, render), … })
 */
export function createMedia(plan: StreamPlan, options: MediaOptions): Handler {
  const { below, keep, now, monotonic } = options
  const films = createFilms({
    segmentMs: plan.segmentMs,
    now: monotonic,
    index: ({ request }, path, tag) =>
      readKept(kept, request, `${path}/${nameOfPart({ kind: 'movie', tag })}`),
  })
  const kept = keep(createRender({ below, films, now }))
  const media: Media = { ...options, plan, films, kept }
  return (exchange) => {
    const target = parseMediaTarget(exchange.request.target, plan.group === 'folder')
    if (target === null || target.part.kind === 'movie') return below(exchange)
    serve(media, new OpenedExchange(exchange, { cors: plan.cors, isPrivate: options.isPrivate }), target)
  }
}

function serve(media: Media, exchange: Exchange, target: MediaTarget): void {
  const { method } = exchange.request
  exchange.note.answeredBy = 'media'
  if (method === 'OPTIONS') return respondOptions(exchange)
  if (method !== 'GET' && method !== 'HEAD') {
    const detail = 'Streams are read with GET and HEAD.'
    const fields: [string, string][] = [['Allow', 'GET, HEAD, OPTIONS']]
    return respondPage(exchange, { status: 405, detail, fault: 'client', fields })
  }
  const { part } = target
  // The query is for us alone: one stored segment answers all.
  if ('tag' in part) return media.kept(exchange)
  describe(media, exchange, target).catch((error: unknown) => respondFault(exchange, error))
}

async function describe(media: Media, exchange: Exchange, { asset, part }: MediaTarget): Promise<void> {
  const { plan, now } = media
  const below: Below = { handler: media.below, request: exchange.request }
  const text = await textOf()
  const octets = Buffer.from(text)
  exchange.note.reason = part.kind
  const mediaType = part.kind === 'mpd' ? 'application/dash+xml' : HLS_TYPE
  const common = {
    isImmutable: false,
    lastModified: undefined,
    path: asset,
    octets: octets.length,
    body: octets,
  }
  respondContent(exchange, { mediaType, etag: etagOf(octets), ...common }, now())

  async function textOf(): Promise<string> {
    const isOffered =
      part.kind === 'mpd' ? plan.dash : part.kind === 'multivariant' && isHls(part.segments, plan)
    if (!isOffered) throw new MediaFault('This is not offered here: "stream" of the file says what is', 404)
    const offer = offerOf(await openTitle(media, below, asset))
    if (part.kind === 'mpd') return writeMpd(mpdOf(offer, ''))
    return writeMultivariant(multivariantOf(offer, part.kind === 'multivariant' ? part.segments : 'cmaf', ''))
  }
}

function isHls(segments: 'cmaf' | 'ts', { hls, ts }: StreamPlan): boolean {
  return hls && (segments === 'cmaf' || ts)
}

/** What browsers ask before they ask with fields of their own (Fetch, CORS-preflight). */
function respondOptions(exchange: Exchange): void {
  exchange.respond({ status: 204, fields: noFields, lengthOctets: 0 }, null)
}

/** Ask for something that is kept, with no client; what went wrong stands in the note. */
function readKept(kept: Handler, request: Request, target: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    ask(
      kept,
      {
        ...request,
        method: 'GET',
        target,
        fields: noFields,
        body: null,
        lengthOctets: 0,
        upgrade: undefined,
      },
      {
        informed() {},
        aborted: (reason) => reject(new MediaFault(`The index of the film cannot be had: ${reason}`, 502)),
        answered(head, body, note) {
          if (head.status === 200 && body !== null) return void readAll(body).then(resolve, reject)
          body?.cancel('finished')
          reject(new MediaFault(note.reason, head.status))
        },
      },
    )
  })
}

/** More than the index of a day of film has; it is kept in memory. */
const LIMIT_INDEX_OCTETS = 256 * 2 ** 20

async function readAll(body: Source): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let octets = 0
  for (;;) {
    const piece = await body.read(LIMIT_INDEX_OCTETS)
    if (piece === null) return Buffer.concat(pieces)
    octets += piece.length
    if (octets > LIMIT_INDEX_OCTETS) throw new MediaFault('The index of the film has more than 256 MiB')
    pieces.push(Buffer.from(piece))
  }
}
