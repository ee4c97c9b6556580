import { isSameSecret } from '#core/secret.ts'
import type { Request } from '#http/exchange.ts'
import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { LivePlan } from './plan.ts'

/** What a line of the file of keys says: a key, and the stream that it is good for, or null for all. */
export type PublishKey = { readonly stream: string | null; readonly key: string }

const LEAST_KEY = 16

/** Read the file of keys: a line each, `KEY` or `NAME KEY`; what is too short to be one is no key. */
export function readPublishKeys(text: string): PublishKey[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const words = line.trim().split(/\s+/)
    const key = words.at(-1)!
    if (key.length < LEAST_KEY || words.length > 2 || line.startsWith('#')) return []
    return [{ stream: words.length === 2 ? words[0]! : null, key }]
  })
}

/**
 * Decide whether somebody may publish a stream.
 *
 * @param keys of the file; empty when it cannot be read, which lets nobody in
 * @returns the reason when they may
 */
export function admitPublisher(
  { publishers }: LivePlan,
  keys: readonly PublishKey[],
  request: Request,
  stream: string,
): string | Refusal {
  if (publishers === 'keys') return admitByKey(keys, keyOf(request), stream)
  // A page elsewhere must not use the place or the password of who looks at it.
  if (request.fields.get('sec-fetch-site') === 'cross-site')
    return refuse(403, 'a page of another site asked for this')
  if (publishers === 'admitted') return 'let in by "access"'
  const isForwarded = ['forwarded', 'x-forwarded-for', 'via'].some(
    (name) => request.fields.get(name) !== undefined,
  )
  if (!isForwarded && /^(?:127\.|::1$)/.test(request.client.address)) return 'a program of this machine'
  return refuse(403, 'encoders on other machines need a key: give "live" a "key", or the host "access"')
}

function admitByKey(keys: readonly PublishKey[], said: string | null, stream: string): string | Refusal {
  if (said === null) return refuse(401, 'publishing needs the key: Authorization: Bearer KEY, or ?key=KEY')
  const known = keys.filter(({ key }) => isSameSecret(key, said))
  if (known.length === 0) return refuse(401, 'the key is another one')
  const isGood = known.some((key) => key.stream === null || key.stream === stream)
  return isGood ? 'the key' : refuse(403, `the key is not good for "${stream}"`)
}

/** RFC 6750 §2.1; the password of RFC 7617 §2; or `key` in the query, for encoders that know neither. */
function keyOf({ fields, target }: Request): string | null {
  const [, scheme, value] = /^(Bearer|Basic) +(\S+)$/i.exec(fields.get('authorization') ?? '') ?? []
  if (value === undefined) return new URLSearchParams(target.split(/\?(.*)/s, 2)[1] ?? '').get('key')
  if (scheme!.toLowerCase() === 'bearer') return value
  return Buffer.from(value, 'base64')
    .toString()
    .replace(/^[^:]*:/, '')
}
