import { type Refusal, refuse } from '#http/wire/refusal.ts'

/** What stands between a folder and its uploads that are not complete. */
export const UPLOADS_SEGMENT = '.uploads'

const LIMIT_KEY_OCTETS = 1024
const LIMIT_NAME_OCTETS = 255

/**
 * The key of an object: the path of the target, decoded, without its first slash.
 *
 * A key never becomes a path on disk; what could be taken for one is refused all the same, for whoever copies a bucket
 * into a folder.
 *
 * @param path without query, as sent: Latin-1, a character an octet
 */
export function keyOfPath(path: string): string | Refusal {
  const key = decodeUtf8(path.slice(1))
  if (key === undefined)
    return refuse(400, 'the path holds a "%" that is not the escape of a UTF-8 character')
  return judgeKey(key)
}

/** The key itself, or why it is none. */
export function judgeKey(key: string): string | Refusal {
  if (Buffer.byteLength(key) > LIMIT_KEY_OCTETS)
    return refuse(414, `the key is longer than ${LIMIT_KEY_OCTETS} octets`)
  if (hasControl(key)) return refuse(400, 'the key holds a control character')
  const segments = key.split('/')
  if (segments.some((segment) => segment === '.' || segment === '..')) {
    return refuse(400, 'a segment of the key is "." or ".."')
  }
  if (segments.includes(UPLOADS_SEGMENT))
    return refuse(400, `"${UPLOADS_SEGMENT}" stands for uploads under way`)
  return key
}

/**
 * What is left of the name that a client gives a file: its last segment, on whatever system, without control characters.
 *
 * @returns undefined when nothing is left
 * @example fileName('C:\\fakepath\\a.png') // 'a.png'
 */
export function fileName(name: string): string | undefined {
  const last = name.normalize('NFC').split(/[/\\]/).at(-1)!
  const clean = [...last]
    .filter((c) => !hasControl(c))
    .join('')
    .trim()
  if (clean === '' || clean === '.' || clean === '..' || clean === UPLOADS_SEGMENT) return undefined
  return cutOctets(clean, LIMIT_NAME_OCTETS)
}

/** The path of a key, as it stands in a Location. */
export function pathOfKey(key: string): string {
  return `/${key.split('/').map(encodeURIComponent).join('/')}`
}

/** Decoded percent escapes; undefined when they are no UTF-8. */
export function decodeUtf8(text: string): string | undefined {
  try {
    return decodeURIComponent(Buffer.from(text, 'latin1').toString('utf8'))
  } catch {
    return undefined
  }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c === 0xfffd) return true
  }
  return !text.isWellFormed()
}

/** As much of the text as fits, its extension kept. */
function cutOctets(text: string, limit: number): string {
  if (Buffer.byteLength(text) <= limit) return text
  const extension = /\.[\w-]{1,16}$/.exec(text)?.[0] ?? ''
  const octets = Buffer.from(text).subarray(0, limit - extension.length)
  return octets.toString('utf8').replace(/\ufffd+$/, '') + extension
}
