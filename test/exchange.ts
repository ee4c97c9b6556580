import type { Exchange, ExchangeNote, Request, ResponseHead, Source } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { createNote } from '#http/wire/note.ts'

export type Asked = {
  readonly method?: string
  readonly host?: string
  readonly target?: string
  readonly secure?: boolean
  readonly fields?: readonly (readonly [string, string])[]
  readonly address?: string
  /** content without a length */
  readonly body?: Source
}

export type Answer = {
  readonly status: number
  readonly head: ResponseHead
  readonly body: Source | Uint8Array | null
  readonly note: ExchangeNote
}

/** Let a handler answer a request without a connection, for what no socket can change. Resolves when it has answered. */
export function ask(handler: (exchange: Exchange) => void, asked: Asked): Promise<Answer> {
  const {
    method = 'GET',
    host = 'example.com',
    target = '/',
    secure = true,
    fields = [],
    body = null,
  } = asked
  const request: Request = {
    method,
    authority: host,
    host,
    target,
    version: '1.1',
    fields: fieldsOf(fields),
    client: { address: asked.address ?? '192.0.2.1', port: 40000, secure, localPort: secure ? 443 : 80 },
    body,
    lengthOctets: body === null ? 0 : null,
    upgrade: undefined,
  }
  return new Promise((resolve, reject) => {
    const note = createNote()
    handler({
      request,
      note,
      onEnd: undefined,
      respond: (head, body) => resolve({ status: head.status, head, body, note }),
      inform: () => {},
      switchProtocols: () => {
        throw new Error('The handler switched protocols')
      },
      abort: (reason) => reject(new Error(reason)),
    })
  })
}

/** All octets of an answer's body. */
export async function octetsOf({ body }: Answer): Promise<Buffer> {
  if (body === null) return Buffer.alloc(0)
  if (body instanceof Uint8Array) return Buffer.from(body)
  return drain(body)
}

/** All octets of a source, asked for so many at a time; none where there is no source. */
export async function drain(source: Source | null | undefined, limitOctets = 65_536): Promise<Buffer> {
  const parts: Buffer[] = []
  for (;;) {
    const octets = (await source?.read(limitOctets)) ?? null
    if (octets === null) return Buffer.concat(parts)
    // A copy, because a source may use its memory again.
    parts.push(Buffer.from(octets))
  }
}
