import { close, fstatSync, open } from 'node:fs'
import { promisify } from 'node:util'
import { hasCode } from '#core/errors.ts'
import { FileContent, readNow } from '#core/file-content.ts'
import { movieRate } from '#files/wire/movie-rate.ts'
import type { ResponseHead, Source } from '#http/exchange.ts'
import type { OctetRange } from '#http/wire/range.ts'

/** A part of a content, which stays readable when the content goes. */
export type OpenBlob = {
  readonly source: Source
  /** when it is a film, and lies where it can be looked at */
  readonly mediaRate?: ResponseHead['mediaRate']
}

const openDescriptor = promisify(open)

/** @returns null when there is no such file */
export async function openBlob(path: string, range: OctetRange): Promise<OpenBlob | null> {
  try {
    const descriptor = await openDescriptor(path, 'r')
    const file = { descriptor, close: () => close(descriptor) }
    const mediaRate = (): number | null =>
      movieRate((position, octets) => readNow(descriptor, position, octets), fstatSync(descriptor).size)
    return { source: new FileContent(file, range), mediaRate }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
