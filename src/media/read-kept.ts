import type { Handler, Request } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import { noFields } from '#http/wire/fields.ts'
import { readAll } from './read-all.ts'
import { MediaFault } from './wire/fault.ts'

/**
 * Ask for something that is kept, with no client.
 *
 * @throws {MediaFault} with what stands in the note
 */
export function readKept(kept: Handler, request: Request, target: string): Promise<Uint8Array> {
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
          if (head.status === 200 && body !== null)
            return void readAll(body, LIMIT_INDEX_OCTETS).then(resolve, reject)
          body?.cancel('finished')
          reject(new MediaFault(note.reason, head.status))
        },
      },
    )
  })
}

/** More than the index of a day of film has; it is kept in memory. */
const LIMIT_INDEX_OCTETS = 256 * 2 ** 20
