import { type OwnSocket, socketsAmong } from './port-holder.ts'

/** Sockets that the service manager opened and passed on: they stay open while Portico is started again. */
export type PassedSockets = {
  /** Take the socket for an address and port, once; undefined when none was passed for it. */
  take(transport: OwnSocket['transport'], address: string, port: number): number | undefined
  /** what nobody took: clients connect there, and nobody answers */
  left(): readonly OwnSocket[]
}

/** The first descriptor that is passed (sd_listen_fds(3)). */
const FIRST = 3
const COUNT_LIMIT = 64

/**
 * Find the sockets that were passed to this process: `LISTEN_FDS` of them, when `LISTEN_PID` is this one.
 *
 * The variables are removed, so that no program that Portico starts takes them for its own.
 */
export async function readPassedSockets(env: NodeJS.ProcessEnv = process.env): Promise<PassedSockets> {
  const { LISTEN_PID: pid, LISTEN_FDS: written } = env
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[name]
  const isOurs = pid === String(process.pid) && written !== undefined && /^\d{1,4}$/.test(written)
  const count = isOurs ? Math.min(Number(written), COUNT_LIMIT) : 0
  const sockets = await socketsAmong(Array.from({ length: count }, (_, i) => FIRST + i))
  return {
    take(transport, address, port) {
      const at = sockets.findIndex((socket) => {
        return socket.transport === transport && socket.address === address && socket.port === port
      })
      return at === -1 ? undefined : sockets.splice(at, 1)[0]!.fd
    },
    left: () => sockets,
  }
}
