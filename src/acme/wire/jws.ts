import { createHash, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type FlattenedJWS, FlattenedSign, type JWK } from 'jose'

/** An account's key: P-256, both halves. */
export type AccountKey = { readonly private: KeyObject; readonly public: KeyObject }

/** Who signs: by its key before the account has a URL, then by the URL (RFC 8555 §6.2). */
export type Signer = { readonly key: AccountKey; readonly kid: string | null }

/** What a request is signed over. */
export type RequestContent = {
  readonly url: string
  readonly nonce: string
  /** undefined: POST-as-GET (RFC 8555 §6.3) */
  readonly payload: unknown
}

/** Sign a request (RFC 8555 §6.2). */
export async function signRequest(content: RequestContent, { key, kid }: Signer): Promise<FlattenedJWS> {
  const { url, nonce, payload } = content
  const who = kid === null ? { jwk: await publicJwk(key) } : { kid }
  return new FlattenedSign(encode(payload))
    .setProtectedHeader({ alg: 'ES256', nonce, url, ...who })
    .sign(key.private)
}

/**
 * Bind a new account to one that the authority knows (RFC 8555 §7.3.4).
 *
 * @param macKey as the authority gave it: base64url
 */
export async function signBinding(
  key: AccountKey,
  url: string,
  { kid, macKey }: { readonly kid: string; readonly macKey: string },
): Promise<FlattenedJWS> {
  return new FlattenedSign(encode(await publicJwk(key)))
    .setProtectedHeader({ alg: 'HS256', kid, url })
    .sign(Buffer.from(macKey, 'base64url'))
}

/** The inner half of a key change, signed by the new key (RFC 8555 §7.3.5). */
export async function signKeyChange(
  { key, next }: { readonly key: AccountKey; readonly next: AccountKey },
  url: string,
  account: string,
): Promise<FlattenedJWS> {
  const payload = { account, oldKey: await publicJwk(key) }
  return new FlattenedSign(encode(payload))
    .setProtectedHeader({ alg: 'ES256', jwk: await publicJwk(next), url })
    .sign(next.private)
}

/** The token with the name of the account's key: what a challenge is answered with (RFC 8555 §8.1). */
export async function keyAuthorization(token: string, key: AccountKey): Promise<string> {
  return `${token}.${await calculateJwkThumbprint(await publicJwk(key), 'sha256')}`
}

/** What the TXT record of dns-01 holds (RFC 8555 §8.4). */
export function dnsDigest(authorization: string): string {
  return createHash('sha256').update(authorization).digest('base64url')
}

async function publicJwk(key: AccountKey): Promise<JWK> {
  return exportJWK(key.public)
}

function encode(payload: unknown): Uint8Array {
  return Buffer.from(payload === undefined ? '' : JSON.stringify(payload))
}
