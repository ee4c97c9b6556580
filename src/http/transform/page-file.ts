import { closeSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Log } from '#core/log.ts'

/** A page of the owner's own, held in memory. */
export type PageFile = { readonly mediaType: string; content(): Buffer }

const LIMIT_OCTETS = 1_048_576
/** A page that is shown is read again at most this often, behind the back of who gets it. */
const AGE_MS = 2000

/**
 * Open a page.
 *
 * @throws {Error} when it cannot be read or is larger than 1 MiB
 */
export function openPage(file: string, log: Log): PageFile {
  let content = readPage(file)
  let readAt = performance.now()
  const readAgain = async (): Promise<void> => {
    await using handle = await open(file)
    const { buffer, bytesRead } = await handle.read(
      Buffer.allocUnsafe(LIMIT_OCTETS + 1),
      0,
      LIMIT_OCTETS + 1,
      0,
    )
    content = checked(file, Buffer.from(buffer.subarray(0, bytesRead)))
  }
  return {
    mediaType: mediaTypeOf(file),
    content() {
      if (performance.now() - readAt > AGE_MS) {
        readAt = performance.now()
        readAgain().catch((failure: unknown) => {
          log('warning', 'http/page', { file, message: `${failure}; the page as it was is shown` })
        })
      }
      return content
    },
  }
}

function readPage(file: string): Buffer {
  const descriptor = openSync(file, 'r')
  try {
    const octets = Buffer.allocUnsafe(LIMIT_OCTETS + 1)
    const length = readSync(descriptor, octets, 0, octets.length, 0)
    return checked(file, Buffer.from(octets.subarray(0, length)))
  } finally {
    closeSync(descriptor)
  }
}

function checked(file: string, content: Buffer): Buffer {
  if (content.length > LIMIT_OCTETS)
    throw new Error(`${file} is larger than ${LIMIT_OCTETS} octets, the most a page may have.`)
  return content
}

function mediaTypeOf(file: string): string {
  const type = { txt: 'text/plain', json: 'application/json', md: 'text/markdown' }[
    file.split('.').at(-1) ?? ''
  ]
  return type === 'application/json' ? type : `${type ?? 'text/html'}; charset=utf-8`
}
