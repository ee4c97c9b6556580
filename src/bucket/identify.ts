import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Log } from '#core/log.ts'
import { isSameSecret } from '#core/secret.ts'
import type { Request } from '#http/exchange.ts'
import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { Asker, Grant } from './admit.ts'
import { type KeyPlan, LEAST_SECRET, secretIn } from './plan.ts'
import { isSignedBy, readUrlGrant } from './wire/signed-url.ts'

/** A key with its secret. */
export type Key = KeyPlan & { readonly secret: string }

/** Read the secrets of keys; one that cannot be read opens nothing, and the log says so. */
export function readKeys(plans: readonly KeyPlan[], folder: string, log: Log): ReadonlyMap<string, Key> {
  const keys = new Map<string, Key>()
  for (const plan of plans) {
    const path = resolve(folder, plan.secretFile)
    try {
      keys.set(plan.id, { ...plan, secret: readSecret(path) })
    } catch (error) {
      log('error', 'bucket/key', { key: plan.id, file: path, error: String(error) })
    }
  }
  return keys
}

/**
 * Read a secret from its file.
 *
 * @throws {Error} when it cannot be read, or is too short
 */
export function readSecret(path: string): string {
  const secret = secretIn(readFileSync(path, 'utf8'))
  if (secret.length < LEAST_SECRET) throw new Error(`the secret is shorter than ${LEAST_SECRET} characters`)
  return secret
}

/** What a key is good for. */
export function grantOf({ id, mayRead, mayWrite, prefix }: Key): Grant {
  return { keyId: id, mayRead, mayWrite, prefix, isExact: false }
}

/**
 * Find out who asks: by a key that is said plainly (RFC 6750 §2.1), or by a signed URL.
 *
 * @returns a refusal for a key or signature that is wrong or over
 */
export function identify(request: Request, keys: ReadonlyMap<string, Key>, about: About): Asker | Refusal {
  const grant = keys.size === 0 ? null : (readBearer(request, keys) ?? readSigned(request.host, about, keys))
  if (grant !== null && 'kind' in grant) return grant
  const { fields, client } = request
  const isForwarded = ['forwarded', 'x-forwarded-for', 'via'].some((name) => fields.get(name) !== undefined)
  return {
    grant,
    isLocal: !isForwarded && /^(?:127\.|::1$)/.test(client.address),
    isCrossSite: fields.get('sec-fetch-site') === 'cross-site',
  }
}

type About = {
  readonly path: string
  readonly objectKey: string
  readonly query: URLSearchParams
  readonly nowMs: number
}

function readBearer({ fields }: Request, keys: ReadonlyMap<string, Key>): Grant | Refusal | null {
  const token = /^Bearer +([^.]+)\.(.+)$/i.exec(fields.get('authorization') ?? '')
  const key = token === null ? undefined : keys.get(token[1]!)
  // Another service's token may stand here: the route's "access" has read it.
  if (key === undefined) return null
  return isSameSecret(token![2]!, key.secret)
    ? grantOf(key)
    : refuse(401, 'the secret of the key is another one')
}

function readSigned(
  host: string,
  { path, objectKey, query, nowMs }: About,
  keys: ReadonlyMap<string, Key>,
): Grant | Refusal | null {
  const claimed = readUrlGrant(query)
  if (claimed === null) return null
  const key = keys.get(claimed.keyId)
  if (key === undefined || !isSignedBy(claimed, host, path, key.secret)) {
    return refuse(403, 'the signature of this URL is not right')
  }
  if (claimed.expires * 1000 <= nowMs) return refuse(403, 'this URL was good until a time that is over')
  const { id, prefix, mayRead, mayWrite } = key
  const isExact = claimed.prefix === null
  const claimedPrefix = claimed.prefix ?? objectKey
  if (!claimedPrefix.startsWith(prefix)) return refuse(403, `the key "${id}" is not good for this`)
  return {
    keyId: id,
    mayRead: mayRead && claimed.allow === 'read',
    mayWrite: mayWrite && claimed.allow === 'write',
    prefix: claimedPrefix,
    isExact,
  }
}
