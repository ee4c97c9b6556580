import type { Request, Source } from '#http/exchange.ts'

/** The content of a request ended before its end: the client has left, or broke the rules of its protocol. */
export class BrokenOff extends Error {}

/**
 * The content of a request, whose failures can be told from those of a disk.
 *
 * @returns null when the request has none
 */
export function contentOf({ body }: Request): Source | null {
  if (body === null) return null
  return {
    read(limitOctets) {
      const octets = body.read(limitOctets)
      return octets instanceof Promise ? octets.catch(breakOff) : octets
    },
    cancel: (reason) => body.cancel(reason),
  }
}

function breakOff(error: Error): never {
  throw new BrokenOff(error.message, { cause: error })
}
