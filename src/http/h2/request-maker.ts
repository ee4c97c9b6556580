import { randomBytes } from 'node:crypto'
import type { Client, Request } from '../exchange.ts'
import { type Fields, fieldsOf, noFields } from '../wire/fields.ts'
import type { Stream } from './stream.ts'
import type { StreamBody } from './stream-body.ts'
import { type Priority, parsePriority } from './wire/priority.ts'
import type { RequestHead } from './wire/request-fields.ts'

/** Makes the requests of one connection as handlers see them, whatever protocol they came in. */
export class RequestMaker {
  readonly #client: Client
  /** what was made last of a head without content: who asks the same again gives the same head */
  #last: RequestHead | undefined
  #lastRequest: Request | undefined

  constructor(client: Client) {
    this.#client = client
  }

  make(head: RequestHead, body: StreamBody | null): Request {
    if (head === this.#last && body === null) return this.#lastRequest!
    const request = head.protocol === undefined ? this.#plain(head, body) : this.#upgrade(head)
    if (body === null) {
      this.#last = head
      this.#lastRequest = request
    }
    return request
  }

  /** Stands for a request that cannot be read. */
  refused(method = 'GET'): Request {
    return { ...NO_REQUEST, method, client: this.#client }
  }

  #plain(head: RequestHead, body: StreamBody | null): Request {
    const { method, authority, host, target, fields } = head
    const lengthOctets = body === null ? 0 : head.lengthOctets
    const client = this.#client
    return {
      method,
      authority,
      host,
      target,
      version: '2',
      fields,
      client,
      body,
      lengthOctets,
      upgrade: undefined,
    }
  }

  /** RFC 8441 §5: an extended CONNECT is what GET with Upgrade is in HTTP/1.1. */
  #upgrade(head: RequestHead): Request {
    const { authority, host, target, protocol } = head
    const fields = protocol === 'websocket' ? withHandshake(head.fields) : head.fields
    return {
      method: 'GET',
      authority,
      host,
      target,
      version: '2',
      fields,
      client: this.#client,
      body: null,
      lengthOctets: 0,
      upgrade: protocol,
    }
  }
}

/** Give a stream the priority that its client wishes (RFC 9218 §5); PRIORITY_UPDATE counts more (RFC 9218 §7). */
export function prioritize(stream: Stream, fields: Fields, update: Priority | undefined): void {
  const value = fields.get('priority')
  // Without a word about it streams share alike: who knows nothing of priorities expects no order.
  if (update === undefined && value === undefined) return
  const { urgency, incremental } = update ?? parsePriority(value!)
  stream.urgency = urgency
  stream.isIncremental = incremental
}

const NO_REQUEST: Omit<Request, 'client'> = {
  method: 'GET',
  authority: '',
  host: '',
  target: '/',
  version: '2',
  fields: noFields,
  body: null,
  lengthOctets: 0,
  upgrade: undefined,
}

/** RFC 8441 §5.1: the key of RFC 6455 §4.1 is not sent over HTTP/2, and an origin needs one. */
function withHandshake(fields: Fields): Fields {
  const pairs: [string, string][] = []
  fields.each((name, value) => {
    if (name !== 'sec-websocket-key' && name !== 'sec-websocket-version') pairs.push([name, value])
  })
  const version = fields.get('sec-websocket-version') ?? '13'
  pairs.push(['Sec-WebSocket-Version', version], ['Sec-WebSocket-Key', randomBytes(16).toString('base64')])
  return fieldsOf(pairs)
}
