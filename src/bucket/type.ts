import { fileTypeFromBuffer } from 'file-type'
import mime from 'mime'
import { parseParameters } from './wire/disposition.ts'

/** What an object is served as, and what was said and seen of it. */
export type Judged = {
  readonly type: string
  readonly declared: string | null
  readonly detected: string | null
}

export type Mismatch = 'detected' | 'declared' | 'refuse'

/**
 * Decide the type of an object by what its client said, by its first octets and by its name.
 *
 * Detection is no border of security: whatever comes out, browsers are told not to guess (`nosniff`), and what could run
 * in them is an attachment.
 *
 * @returns a sentence when the types disagree and that is refused
 */
export async function judgeType(
  declared: string | null,
  { name, head, mismatch }: { readonly name: string; readonly head: Uint8Array; readonly mismatch: Mismatch },
): Promise<Judged | string> {
  const said = declared === null || isVague(declared) ? null : declared
  const detected = detectMarkup(head) ?? (await fileTypeFromBuffer(head))?.mime ?? null
  const type = said ?? detected ?? typeOfName(name)
  if (said === null || detected === null || areAkin(essence(said), detected))
    return { type, declared, detected }
  if (mismatch === 'refuse') return `the type is said to be ${essence(said)}, and the octets are ${detected}`
  return { type: mismatch === 'detected' ? detected : said, declared, detected }
}

/** Whether a type is one of a list such as `image/*`. */
export function isTypeOf(type: string, types: readonly string[] | null): boolean {
  if (types === null) return true
  const plain = essence(type)
  return types.some((wanted) =>
    wanted.endsWith('/*') ? plain.startsWith(wanted.slice(0, -1)) : plain === wanted,
  )
}

/** Whether a browser would run what is in it. */
export function isActive(type: string): boolean {
  const plain = essence(type)
  return (
    /^(?:text\/(?:html|xml|xsl|.*javascript)|image\/svg|application\/(?:xml|xhtml|mathml|.*javascript)|multipart\/)/.test(
      plain,
    ) || plain.endsWith('+xml')
  )
}

/** Whether a media type can be said in Content-Type again. */
export function isMediaType(type: string): boolean {
  return (
    /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/.test(essence(type)) &&
    parseParameters(type) !== undefined &&
    /^[\x20-\x7e]*$/.test(type)
  )
}

function essence(type: string): string {
  return type.split(';', 1)[0]!.trim().toLowerCase()
}

/** What programs say that do not know. */
function isVague(type: string): boolean {
  return /^(?:application\/octet-stream|binary\/octet-stream|\*\/\*)?$/.test(essence(type))
}

function typeOfName(name: string): string {
  // With a path before it, a name without a dot is not taken for an extension.
  const type = mime.getType(`/${name}`) ?? 'application/octet-stream'
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

/** Markup has no magic number; its first tag says it (WHATWG MIME Sniffing, section 7.1). */
function detectMarkup(head: Uint8Array): string | null {
  const text = Buffer.from(head.subarray(0, 1024))
    .toString('latin1')
    .replace(/^(?:\xef\xbb\xbf)?\s*(?:<!--[\s\S]*?-->\s*|<\?xml[\s\S]*?\?>\s*)*/, '')
  if (/^<(?:!doctype\s+html|html|head|script|iframe|body|style|title|table|a|div|h1|p|br)[\s>]/i.test(text))
    return 'text/html'
  if (/^(?:<!doctype\s+svg[^>]*>\s*)?<svg[\s>]/i.test(text)) return 'image/svg+xml'
  return null
}

/** Containers that hold others, and several names of one thing. */
function areAkin(said: string, detected: string): boolean {
  if (said === detected) return true
  const family = FAMILIES.find((types) => types.test(detected))
  return family?.test(said) ?? false
}

const FAMILIES: readonly RegExp[] = [
  /zip|openxmlformats|opendocument|epub|java-archive|android\.package|x-cfb|msword|ms-excel|ms-powerpoint|ms-office/,
  /xml$|^text\/(?:html|plain|markdown)/,
  /(?:video|audio)\/(?:mp4|quicktime|x-m4.|3gpp2?|m4a)|image\/(?:hei[cf]|avif)/,
  /matroska|webm/,
  /ogg|opus/,
  /^audio\/(?:mpeg|mp3|aac|wav|vnd\.wave|x-wav|x-flac|flac|aiff|x-aiff)/,
  /gzip|x-tar|x-compress|zstd|x-bzip2|x-xz/,
  /^text\/|javascript|json|x-sh|\/rtf/,
  /icon|image\/(?:x-ico|bmp|x-ms-bmp)/,
  /mp2t|mpegts/,
]
