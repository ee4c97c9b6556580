import { type MetricsServer, startMetrics } from '#admin/metrics-server.ts'
import type { Log } from '#core/log.ts'
import type { ListenerPlan } from '#plan/listeners.ts'
import { listenFailure } from '#run/listen/failure.ts'
import { holderOf } from '#run/listen/port-holder.ts'
import { metricsOf } from '#run/metrics.ts'
import type { Portico } from '#run/portico.ts'

/**
 * Answer metrics where the file says, and follow it.
 *
 * @throws {Error} when the port cannot be listened on at the start; later that is logged
 */
export async function serveMetrics(portico: Portico, log: Log): Promise<{ close(): Promise<void> }> {
  let listener = metricsListener(portico)
  let server = listener && (await open(listener))
  portico.onReload(follow)

  async function follow(): Promise<void> {
    const next = metricsListener(portico)
    if (next?.address === listener?.address && next?.port === listener?.port) return
    try {
      // The kernel gives one port of two addresses to one of them.
      if (next?.port === listener?.port) await end()
      const opened = next && (await open(next))
      await end()
      server = opened
      listener = next
    } catch (error) {
      log('error', 'metrics are not where the file says', { error: String(error) })
    }
  }

  function open(wanted: ListenerPlan): Promise<MetricsServer> {
    return startMetrics(wanted, () => metricsOf(portico)).catch(async (error: unknown) => {
      throw await listenFailure(error, wanted, holderOf)
    })
  }

  async function end(): Promise<void> {
    const ending = server
    server = undefined
    await ending?.close()
  }

  return { close: end }
}

function metricsListener({ front }: Portico): ListenerPlan | undefined {
  return front.plan.listeners.find(({ protocol }) => protocol === 'metrics')
}
