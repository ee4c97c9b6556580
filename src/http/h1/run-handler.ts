import type { Log } from '#core/log.ts'
import type { Exchange, Handler } from '#http/exchange.ts'

/** Hand an exchange over. A handler that throws is a bug of ours: it costs one exchange, not the process. */
export function runHandler(handler: Handler, exchange: Exchange, log: Log): boolean {
  try {
    handler(exchange)
    return true
  } catch (error) {
    log('error', 'http/handler-failed', {
      target: exchange.request.target,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    })
    return false
  }
}
