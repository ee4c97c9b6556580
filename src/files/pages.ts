import type { Page } from '#http/wire/page.ts'
import { formatContentRange } from '#http/wire/range.ts'
import type { NotOpened } from './folder.ts'
import type { Nowhere } from './locate.ts'

/** What can be done with files. */
export const ALLOW: readonly [string, string] = ['Allow', 'GET, HEAD, OPTIONS']

/** RFC 9110 §15.5.6: Allow stands in the answer. */
export const METHOD_REFUSED: Page = {
  status: 405,
  detail: 'Files can be read here with GET and HEAD; they cannot be changed.',
  fault: 'client',
  fields: [ALLOW],
}

/** A precondition of the request does not hold (RFC 9110 §15.5.13). */
export const PRECONDITION_FAILED: Page = {
  status: 412,
  detail: 'The file is not in the state that the request wants it in.',
  fault: 'client',
}

const NOT_FOUND: Page = { status: 404, detail: 'There is no file at this path.', fault: 'client' }

/** What is said of targets that name no file. */
export const NOWHERE: Readonly<Record<Nowhere, Page>> = {
  'the path climbs above the root': {
    status: 400,
    detail: 'The path leads out of the site by its “..” segments.',
    fault: 'client',
  },
  'the path is malformed': {
    status: 400,
    detail: 'The path holds a “%” that is not the escape of a UTF-8 character.',
    fault: 'client',
  },
  'no file has such a name': NOT_FOUND,
}

/** What is said of files that were not opened. */
export const NOT_OPENED: Readonly<Record<NotOpened['kind'], Page>> = {
  folder: NOT_FOUND,
  'not found': NOT_FOUND,
  // Like a file that is not there: the log says more, to those whom it concerns.
  outside: NOT_FOUND,
  'not readable': { status: 403, detail: 'This file may not be read.', fault: 'portico' },
  'too many open': {
    status: 503,
    detail: 'Too many files are being sent.',
    fault: 'portico',
    fields: [['Retry-After', '1']],
  },
  failed: { status: 500, detail: 'The file cannot be read.', fault: 'portico' },
}

/** RFC 9110 §15.5.17: Content-Range says the length. */
export function unsatisfiablePage(lengthOctets: number): Page {
  return {
    status: 416,
    detail: `The file has ${lengthOctets} octets, and the range begins after them.`,
    fault: 'client',
    fields: [['Content-Range', formatContentRange(null, lengthOctets)]],
  }
}
