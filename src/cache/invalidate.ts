import type { Request } from '#http/exchange.ts'
import type { Fields } from '#http/wire/fields.ts'
import { originOf } from './key.ts'
import { groupTag } from './tags.ts'
import { readStrings } from './wire/structured.ts'

/** RFC 9110 §9.2.1: methods that change nothing. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/** URIs and tags whose stored responses no longer hold. */
export type Invalidated = { readonly uris: readonly string[]; readonly tags: readonly string[] }

/**
 * Which stored responses a response to another method makes doubtful (RFC 9111 §4.4, RFC 9875 §3).
 *
 * The target, and what Location and Content-Location name of the same origin; unknown methods are unsafe ones.
 *
 * @returns null when none
 */
export function invalidated(request: Request, status: number, fields: Fields): Invalidated | null {
  if (SAFE.has(request.method) || status < 200 || status >= 400) return null
  const origin = originOf(request)
  const target = `${origin}${request.target}`
  const uris = new Set([target])
  for (const name of ['location', 'content-location']) {
    const url = resolve(fields.get(name), target)
    if (url?.origin === origin) uris.add(`${origin}${url.pathname}${url.search}`)
  }
  const groups = readStrings(fields.all('cache-group-invalidation')) ?? []
  return { uris: [...uris], tags: groups.map((group) => groupTag(origin, group)) }
}

/** RFC 9110 §10.2.2: relative to the target; without the fragment, which no key has. */
function resolve(reference: string | undefined, target: string): URL | undefined {
  return reference !== undefined && URL.canParse(reference, target) ? new URL(reference, target) : undefined
}
