import type { Log } from '#core/log.ts'
import type { Handler, Request, ResponseHead, Source } from '#http/exchange.ts'
import type { ActionPlan } from '#http/plan.ts'
import { evaluatePreconditions, isRangeCurrent } from '#http/wire/conditional.ts'
import { formatDate } from '#http/wire/date.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { type Page, respondPage } from '#http/wire/page.ts'
import { pathOf } from '#http/wire/path.ts'
import { formatContentRange, type OctetRange, parseRange } from '#http/wire/range.ts'
import { FileContent, LIMIT_WHOLE_OCTETS, readWhole } from './content.ts'
import { Folder, type OpenFile } from './folder.ts'
import { locate, type Place } from './locate.ts'
import { mediaTypeOf } from './media-type.ts'
import {
  ALLOW,
  CHANGED,
  METHOD_REFUSED,
  NOT_OPENED,
  NOWHERE,
  PRECONDITION_FAILED,
  unsatisfiablePage,
} from './pages.ts'

export type FilesPlan = Extract<ActionPlan, { kind: 'files' }>

/** Create the handler that answers with the files of a folder. The path of the target is the path below the root. */
export function createFiles(action: FilesPlan, { log }: { readonly log: Log }): Handler {
  const folder = new Folder(action.root, log)
  return (exchange) => {
    const { method, target } = exchange.request
    exchange.note.answeredBy = 'files'
    if (method === 'OPTIONS') {
      exchange.respond({ status: 204, fields: fieldsOf([ALLOW]), lengthOctets: 0 }, null)
      return
    }
    if (method !== 'GET' && method !== 'HEAD') return respondPage(exchange, METHOD_REFUSED)
    const place = locate(target, action.index)
    if (typeof place === 'string') return respondPage(exchange, NOWHERE[place])
    answer(exchange.request, folder, place)
      .catch((failure: unknown) => {
        log('error', 'files/read', { path: place.path, message: String(failure) })
        return NOT_OPENED.failed
      })
      .then((reply) =>
        'head' in reply ? exchange.respond(reply.head, reply.body) : respondPage(exchange, reply),
      )
      .catch(() => exchange.abort('portico failed'))
  }
}

/** The file or what there is to say about it. A body that is a source holds the file open. */
type Reply = Page | { readonly head: ResponseHead; readonly body: Source | Uint8Array | null }

async function answer(request: Request, folder: Folder, place: Place): Promise<Reply> {
  const file = await folder.open(place.path)
  if (file.kind === 'folder' && !place.isFolder) return redirectToFolder(request.target)
  if (file.kind !== 'file') return NOT_OPENED[file.kind]
  let isKept = false
  try {
    const reply = await answerFile(request, file, mediaTypeOf(place.path))
    isKept = 'body' in reply && reply.body instanceof FileContent
    return reply
  } finally {
    if (!isKept) file.close()
  }
}

async function answerFile(request: Request, file: OpenFile, mediaType: string): Promise<Reply> {
  const { method, fields } = request
  const nowMs = Date.now()
  const validators = validatorsOf(file, nowMs)
  const precondition = evaluatePreconditions(method, fields, validators, nowMs)
  if (precondition === 'failed') return PRECONDITION_FAILED
  if (precondition === 'not modified') return notModified(file, validators)
  const length = Number(file.stats.size)
  const range =
    method === 'GET' && isRangeCurrent(fields, validators, nowMs) ? fields.get('range') : undefined
  const part = range === undefined ? 'whole' : parseRange(range, length)
  if (part === 'unsatisfiable') return unsatisfiablePage(length)
  const head = headOf(length, part, mediaType, validators)
  if (method === 'HEAD' || length === 0) return { head, body: null }
  const octets = part === 'whole' ? { first: 0, last: length - 1 } : part
  if (octets.last - octets.first >= LIMIT_WHOLE_OCTETS) return { head, body: new FileContent(file, octets) }
  const body = await readWhole(file, octets)
  return body === null ? CHANGED : { head, body }
}

type FileValidators = { readonly etag: string; readonly lastModifiedMs: number }

/**
 * RFC 9110 §8.8.1: a strong validator changes whenever the content does. The inode tells files apart that a build gave
 * the same time and length.
 */
function validatorsOf(file: OpenFile, nowMs: number): FileValidators {
  const { size, mtimeNs, ino } = file.stats
  return {
    etag: `"${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}"`,
    // RFC 9110 §8.8.2.1: no later than the Date of the response.
    lastModifiedMs: Math.min(Number(mtimeNs / 1_000_000n), nowMs),
  }
}

/** RFC 9110 §15.4.5: no more metadata than what a cache needs to find the response again. */
function notModified(file: OpenFile, { etag }: FileValidators): Reply {
  const fields = fieldsOf([['ETag', etag]])
  return { head: { status: 304, fields, lengthOctets: Number(file.stats.size) }, body: null }
}

function headOf(
  length: number,
  part: OctetRange | 'whole',
  mediaType: string,
  validators: FileValidators,
): ResponseHead {
  const fields: [string, string][] = [
    ['Content-Type', mediaType],
    ['X-Content-Type-Options', 'nosniff'],
    ['ETag', validators.etag],
    ['Last-Modified', formatDate(validators.lastModifiedMs)],
    ['Accept-Ranges', 'bytes'],
  ]
  if (part === 'whole') return { status: 200, fields: fieldsOf(fields), lengthOctets: length }
  fields.push(['Content-Range', formatContentRange(part, length)])
  return { status: 206, fields: fieldsOf(fields), lengthOctets: part.last - part.first + 1 }
}

/**
 * A folder asked for without its slash: links in its index would lead beside it.
 *
 * Relative to the path, and begun with `./`: neither `//host/` nor `javascript:x/` is made of any target.
 */
function redirectToFolder(target: string): Reply {
  const path = pathOf(target)
  const location = `./${path.slice(path.lastIndexOf('/') + 1)}/${target.slice(path.length)}`
  return { head: { status: 308, fields: fieldsOf([['Location', location]]), lengthOctets: 0 }, body: null }
}
