import { fileURLToPath } from 'node:url'
import * as grpc from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

export type Words = { readonly text?: string; readonly content?: Buffer; readonly count?: number }

const definition = loadSync(fileURLToPath(new URL('./echo.proto', import.meta.url)), { defaults: false })
const loaded = grpc.loadPackageDefinition(definition) as unknown as {
  readonly portico: { readonly test: { readonly Echo: grpc.ServiceClientConstructor } }
}
const { Echo } = loaded.portico.test

/** A server of gRPC on a free port, and what became of its calls. */
export type EchoServer = {
  readonly port: number
  readonly cancelled: string[]
  readonly server: grpc.Server
  stop(): void
}

/** Start a server that says what it hears. */
export async function startEcho(
  credentials: grpc.ServerCredentials = grpc.ServerCredentials.createInsecure(),
  options: grpc.ServerOptions = {},
): Promise<EchoServer> {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, ...options })
  const cancelled: string[] = []
  server.addService(Echo.service, {
    Once(call: grpc.ServerUnaryCall<Words, Words>, answer: grpc.sendUnaryData<Words>) {
      const trailers = new grpc.Metadata()
      trailers.set('x-trailer', String(call.metadata.get('x-word')[0] ?? ''))
      trailers.set('x-octets-bin', Buffer.from([0, 255]))
      const head = new grpc.Metadata()
      head.set('x-peer', String(call.metadata.get('x-forwarded-for')[0]))
      call.sendMetadata(head)
      answer(null, call.request, trailers)
    },
    Often(call: grpc.ServerWritableStream<Words, Words>) {
      const { count = 0 } = call.request
      let sent = 0
      const more = (): void => {
        while (sent < count)
          if (!call.write({ ...call.request, count: ++sent })) return void call.once('drain', more)
        call.end()
      }
      more()
    },
    Gather(call: grpc.ServerReadableStream<Words, Words>, answer: grpc.sendUnaryData<Words>) {
      let count = 0
      let text = ''
      call.on('data', (words: Words) => {
        count += words.content?.length ?? 0
        text += words.text ?? ''
      })
      call.on('end', () => answer(null, { count, text }))
    },
    Talk(call: grpc.ServerDuplexStream<Words, Words>) {
      call.on('data', (words: Words) => call.write(words))
      call.on('end', () => call.end())
      call.on('cancelled', () => cancelled.push('Talk'))
      call.on('error', () => {})
    },
    Fail(call: grpc.ServerUnaryCall<Words, Words>, answer: grpc.sendUnaryData<Words>) {
      const metadata = new grpc.Metadata()
      metadata.set('grpc-status-details-bin', Buffer.from('details'))
      answer({ code: call.request.count ?? 2, details: `no: ${call.request.text}`, metadata })
    },
    Wait(call: grpc.ServerWritableStream<Words, Words>) {
      call.on('cancelled', () => cancelled.push('Wait'))
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  return { port, cancelled, server, stop: () => server.forceShutdown() }
}

/** A client of the service. */
export class EchoClient {
  readonly #client: grpc.Client

  constructor(address: string, credentials: grpc.ChannelCredentials, options: grpc.ChannelOptions = {}) {
    const all = { 'grpc.max_receive_message_length': -1, 'grpc.enable_retries': 0, ...options }
    this.#client = new Echo(address, credentials, all)
  }

  /** A call with one message and one answer. */
  once(
    method: 'Once' | 'Fail',
    words: Words,
    metadata: grpc.Metadata = new grpc.Metadata(),
  ): Promise<Answer> {
    return new Promise((resolve) => {
      const answer: { head?: grpc.Metadata; words?: Words } = {}
      const call = this.#unary(method, words, metadata, (_error, value) => {
        if (value !== undefined) answer.words = value
      })
      call.on('metadata', (head) => (answer.head = head))
      call.on('status', (status) => resolve({ ...answer, status }))
    })
  }

  often(
    method: 'Often' | 'Wait',
    words: Words,
    options: grpc.CallOptions = {},
  ): grpc.ClientReadableStream<Words> {
    const { path, serialize, deserialize } = partsOf(method)
    return this.#client.makeServerStreamRequest(path, serialize, deserialize, words, options)
  }

  talk(options: grpc.CallOptions = {}): grpc.ClientDuplexStream<Words, Words> {
    const { path, serialize, deserialize } = partsOf('Talk')
    return this.#client.makeBidiStreamRequest(path, serialize, deserialize, options)
  }

  gather(done: (error: grpc.ServiceError | null, words?: Words) => void): grpc.ClientWritableStream<Words> {
    const { path, serialize, deserialize } = partsOf('Gather')
    return this.#client.makeClientStreamRequest(path, serialize, deserialize, done)
  }

  close(): void {
    this.#client.close()
  }

  #unary(
    method: string,
    words: Words,
    metadata: grpc.Metadata,
    done: (error: grpc.ServiceError | null, words?: Words) => void,
  ): grpc.ClientUnaryCall {
    const { path, serialize, deserialize } = partsOf(method)
    return this.#client.makeUnaryRequest(path, serialize, deserialize, words, metadata, done)
  }
}

export type Answer = {
  readonly head?: grpc.Metadata
  readonly words?: Words
  readonly status: grpc.StatusObject
}

function partsOf(method: string): {
  path: string
  serialize: grpc.serialize<Words>
  deserialize: grpc.deserialize<Words>
} {
  const { path, requestSerialize, responseDeserialize } = Echo.service[method]!
  return { path, serialize: requestSerialize, deserialize: responseDeserialize }
}
