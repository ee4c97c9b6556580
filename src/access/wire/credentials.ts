import type { Fields } from '#http/wire/fields.ts'

/** What Authorization says (RFC 9110 §11.6.2). */
export type Credentials =
  | { readonly scheme: 'none' }
  | { readonly scheme: 'basic'; readonly user: string; readonly password: string }
  | { readonly scheme: 'bearer'; readonly token: string }
  /** another scheme, or what cannot be read */
  | { readonly scheme: 'unknown' }

/** Read the credentials of a request; several Authorization fields are as good as unreadable ones. */
export function readCredentials(fields: Fields): Credentials {
  const value = fields.get('authorization')
  if (value === undefined) return { scheme: 'none' }
  if (fields.all('authorization').length > 1) return { scheme: 'unknown' }
  // RFC 9110 §11.4: the scheme's case does not matter; what follows is a token68.
  const match = /^([A-Za-z]{1,20}) +([A-Za-z0-9\-._~+/]+=*)$/.exec(value)
  if (match === null) return { scheme: 'unknown' }
  const [, scheme = '', token = ''] = match
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'bearer', token }
  return scheme.toLowerCase() === 'basic' ? readBasic(token) : { scheme: 'unknown' }
}

/** RFC 7617 §2: the first colon ends the user's name; control characters may not stand in either part. */
function readBasic(token: string): Credentials {
  if (!/^[A-Za-z0-9+/]+=*$/.test(token)) return { scheme: 'unknown' }
  const octets = Buffer.from(token, 'base64')
  let text: string
  try {
    text = UTF8.decode(octets)
  } catch {
    return { scheme: 'unknown' }
  }
  const colon = text.indexOf(':')
  if (colon < 0 || /[\u0000-\u001f\u007f]/.test(text)) return { scheme: 'unknown' }
  return { scheme: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) }
}

// RFC 7617 §2.1: the challenge asks for UTF-8; a byte order mark would be part of a name.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
