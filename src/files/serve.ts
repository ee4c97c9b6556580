import type { Log } from '#core/log.ts'
import type { Exchange, Handler, ResponseHead } from '#http/exchange.ts'
import type { ActionPlan } from '#http/plan.ts'
import { evaluatePreconditions, isRangeCurrent, type Validators } from '#http/wire/conditional.ts'
import { formatDate } from '#http/wire/date.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
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
    answer(exchange, folder, place).catch((failure: unknown) => {
      log('error', 'files/read', { path: place.path, message: String(failure) })
      respondPage(exchange, NOT_OPENED.failed)
    })
  }
}

async function answer(exchange: Exchange, folder: Folder, place: Place): Promise<void> {
  const file = await folder.open(place.path)
  if (file.kind === 'folder' && !place.isFolder) return redirectToFolder(exchange)
  if (file.kind !== 'file') return respondPage(exchange, NOT_OPENED[file.kind])
  try {
    await answerFile(exchange, file, mediaTypeOf(place.path))
  } catch (failure) {
    file.close()
    throw failure
  }
}

async function answerFile(exchange: Exchange, file: OpenFile, mediaType: string): Promise<void> {
  const { method, fields } = exchange.request
  const nowMs = Date.now()
  const validators = validatorsOf(file, nowMs)
  const precondition = evaluatePreconditions(method, fields, validators, nowMs)
  if (precondition !== 'holds') {
    file.close()
    return precondition === 'failed'
      ? respondPage(exchange, PRECONDITION_FAILED)
      : exchange.respond(notModified(file, validators), null)
  }
  const length = Number(file.stats.size)
  const range =
    method === 'GET' && isRangeCurrent(fields, validators, nowMs) ? fields.get('range') : undefined
  const part = range === undefined ? 'whole' : parseRange(range, length)
  if (part === 'unsatisfiable') {
    file.close()
    return respondPage(exchange, unsatisfiablePage(length))
  }
  const head = headOf(length, part, mediaType, validators)
  const octets = part === 'whole' ? { first: 0, last: length - 1 } : part
  if (method === 'HEAD' || length === 0) {
    file.close()
    return exchange.respond(head, null)
  }
  if (head.lengthOctets! > LIMIT_WHOLE_OCTETS) return exchange.respond(head, new FileContent(file, octets))
  const body = await readWhole(file, octets)
  file.close()
  return body === null ? respondPage(exchange, CHANGED) : exchange.respond(head, body)
}

/**
 * RFC 9110 §8.8.1: a strong validator changes whenever the content does. The inode tells files apart that a build gave
 * the same time and length.
 */
function validatorsOf(file: OpenFile, nowMs: number): Validators & { readonly etag: string } {
  const { size, mtimeNs, ino } = file.stats
  return {
    etag: `"${size.toString(36)}-${mtimeNs.toString(36)}-${ino.toString(36)}"`,
    // RFC 9110 §8.8.2.1: no later than the Date of the response.
    lastModifiedMs: Math.min(Number(mtimeNs / 1_000_000n), nowMs),
  }
}

/** RFC 9110 §15.4.5: no more metadata than what a cache needs to find the response again. */
function notModified(file: OpenFile, validators: Validators & { readonly etag: string }): ResponseHead {
  return { status: 304, fields: fieldsOf([['ETag', validators.etag]]), lengthOctets: Number(file.stats.size) }
}

function headOf(
  length: number,
  part: OctetRange | 'whole',
  mediaType: string,
  validators: Validators & { readonly etag: string },
): ResponseHead {
  const fields: [string, string][] = [
    ['Content-Type', mediaType],
    ['X-Content-Type-Options', 'nosniff'],
    ['ETag', validators.etag],
    ['Last-Modified', formatDate(validators.lastModifiedMs!)],
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
function redirectToFolder(exchange: Exchange): void {
  const { target } = exchange.request
  const path = pathOf(target)
  const location = `./${path.slice(path.lastIndexOf('/') + 1)}/${target.slice(path.length)}`
  exchange.respond({ status: 308, fields: fieldsOf([['Location', location]]), lengthOctets: 0 }, null)
}
