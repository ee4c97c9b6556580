import { execFile } from 'node:child_process'

/** What a service manager is told (sd_notify(3)); without one nothing is. */
export type Notifier = {
  /** Everything is open: whoever waits for this service may go on. */
  ready(status: string): void
  stopping(): void
}

const PROGRAM = 'systemd-notify'
const TIMEOUT_MS = 5000

/**
 * Tell the service manager how this process is doing, and that its event loop turns, as often as it wants to hear it.
 *
 * Node has no datagrams over Unix sockets; systemd's own program sends them (decisions/service-manager.md).
 *
 * @param env NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read and removed: programs that Portico starts are others
 */
export function createNotifier(env: NodeJS.ProcessEnv, onError: (error: Error) => void): Notifier {
  const { NOTIFY_SOCKET: socket, WATCHDOG_USEC: period, WATCHDOG_PID: watched } = env
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name]
  if (socket === undefined || socket === '') return { ready: () => {}, stopping: () => {} }
  const isWatched = watched === undefined || watched === String(process.pid)
  const periodMs = isWatched && period !== undefined && /^\d+$/.test(period) ? Number(period) / 1000 : 0

  function tell(...words: string[]): void {
    const options = { env: { ...env, NOTIFY_SOCKET: socket }, timeout: TIMEOUT_MS }
    execFile(PROGRAM, words, options, (error) => error === null || onError(error)).unref()
  }

  return {
    ready(status) {
      tell('READY=1', `STATUS=${status}`)
      // Half the time, as sd_watchdog_enabled(3) advises: one that comes late does no harm.
      if (periodMs > 0) setInterval(() => tell('WATCHDOG=1'), periodMs / 2).unref()
    },
    stopping: () => tell('STOPPING=1'),
  }
}
