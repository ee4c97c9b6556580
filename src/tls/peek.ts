import type { Socket } from 'node:net'
import type { Server } from 'node:tls'
import { type ClientHello, readClientHello } from './wire/client-hello.ts'

export type PeekOptions = {
  /** whether connections of this moment are looked at: it costs a turn of the loop */
  readonly isWanted: () => boolean
  readonly timeoutMs: () => number
  /**
   * The first octets came.
   *
   * @param hello null: they are none, or come in pieces
   * @returns whether the connection was taken; else its handshake begins
   */
  readonly onHello: (socket: Socket, hello: ClientHello | null) => boolean
}

/**
 * Look at what clients say first, before the handshake begins: Node chooses the certificate before it says what was
 * offered. What was read is put back.
 */
export function peekHellos(server: Server, { isWanted, timeoutMs, onHello }: PeekOptions): void {
  const begin = server.listeners('connection').at(-1)
  if (begin === undefined) return
  server.removeListener('connection', begin as (socket: Socket) => void)
  server.on('connection', (socket: Socket) => {
    if (isWanted()) peek(socket)
    else begin.call(server, socket)
  })

  function peek(socket: Socket): void {
    let octets: Buffer = Buffer.alloc(0)
    // The server counts handshakes from their beginning to one of two events.
    const giveUp = (): unknown => server.emit('tlsClientError', new Error('It said nothing'), socket)
    const timer = setTimeout(() => socket.destroy(), timeoutMs())
    socket.on('error', () => {})
    socket.once('close', giveUp)
    socket.on('readable', look)

    function look(): void {
      const part: Buffer | null = socket.read()
      if (part === null) return
      octets = Buffer.concat([octets, part])
      const hello = readClientHello(octets)
      if (hello === 'more') return
      clearTimeout(timer)
      socket.off('readable', look)
      socket.unshift(octets)
      if (onHello(socket, hello)) return
      socket.off('close', giveUp)
      begin!.call(server, socket)
    }
  }
}
