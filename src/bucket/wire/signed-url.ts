import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a signed URL allows: one object, or all whose keys begin with a prefix, until a time. */
export type UrlGrant = {
  readonly keyId: string
  readonly allow: 'read' | 'write'
  /** seconds since 1970 */
  readonly expires: number
  /** null: the path of the URL alone */
  readonly prefix: string | null
}

/**
 * Sign a URL.
 *
 * @param host and `path` of the URL; with a prefix the path is not signed
 * @returns its query
 * @example signUrl({ keyId: 'site', allow: 'read', expires: 1893456000, prefix: null }, 'media.example.com', '/a', secret)
 */
export function signUrl(grant: UrlGrant, host: string, path: string, secret: string): string {
  const query = new URLSearchParams({ key: grant.keyId, allow: grant.allow, expires: `${grant.expires}` })
  if (grant.prefix !== null) query.set('prefix', grant.prefix)
  query.set('signature', signatureOf(grant, host, path, secret).toString('base64url'))
  return query.toString()
}

/** What a query claims to allow, before its signature is looked at; null when it is not signed. */
export function readUrlGrant(query: URLSearchParams): (UrlGrant & { readonly signature: string }) | null {
  const [keyId, allow, signature] = ['key', 'allow', 'signature'].map((name) => query.get(name))
  const expires = Number(query.get('expires') ?? Number.NaN)
  if (!keyId || !signature || (allow !== 'read' && allow !== 'write') || !Number.isSafeInteger(expires))
    return null
  return { keyId, allow, expires, prefix: query.get('prefix'), signature }
}

/** Whether a signature is that of its grant. */
export function isSignedBy(
  grant: UrlGrant & { readonly signature: string },
  host: string,
  path: string,
  secret: string,
): boolean {
  const wanted = signatureOf(grant, host, path, secret)
  const given = Buffer.from(grant.signature, 'base64url')
  return given.length === wanted.length && timingSafeEqual(given, wanted)
}

function signatureOf(
  { keyId, allow, expires, prefix }: UrlGrant,
  host: string,
  path: string,
  secret: string,
): Buffer {
  const about = prefix === null ? `path ${path}` : `prefix ${prefix}`
  return createHmac('sha256', secret)
    .update(['portico-url', keyId, allow, expires, host, about].join('\n'))
    .digest()
}
