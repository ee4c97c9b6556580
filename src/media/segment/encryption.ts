import { createCipheriv, createHmac } from 'node:crypto'
import type { Content } from '#media/respond.ts'

/** AES-128 of whole segments (RFC 8216bis §4.4.4.4): a key for each version of a film, a vector for each segment. */
export type Encryption = {
  /** differs when the secret does */
  readonly make: string
  /** 16 octets */
  keyOf(path: string, tag: string): Buffer
  /** 32 hexadecimal digits; `name` is that of the segment */
  ivOf(path: string, tag: string, name: string): string
}

/** @param secret of which all keys follow: they need not be stored, and are the same on all workers */
export function createEncryption(secret: string): Encryption {
  const derive = (...words: readonly string[]): Buffer =>
    createHmac('sha256', secret)
      .update(['portico-film', ...words].join('\n'))
      .digest()
      .subarray(0, 16)
  return {
    make: derive('make').toString('hex'),
    keyOf: (path, tag) => derive('key', path, tag),
    ivOf: (path, tag, name) => derive('iv', path, tag, name).toString('hex'),
  }
}

/** Encrypt a segment as it is read: CBC with the padding of PKCS #7. */
export function encrypted(content: Content, key: Buffer, iv: string): Content {
  const { body } = content
  const octets = content.octets - (content.octets % 16) + 16
  const cipher = () => createCipheriv('aes-128-cbc', key, Buffer.from(iv, 'hex'))
  if (body instanceof Uint8Array) {
    const one = cipher()
    return { ...content, octets, body: Buffer.concat([one.update(body), one.final()]) }
  }
  return { ...content, octets, body: () => encryptPieces(body(), cipher()) }
}

async function* encryptPieces(
  pieces: AsyncGenerator<Uint8Array>,
  cipher: ReturnType<typeof createCipheriv>,
): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield cipher.update(piece)
  yield cipher.final()
}
