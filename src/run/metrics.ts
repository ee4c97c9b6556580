import { version } from '#core/version.ts'
import type { StreamRow } from '#media/live/status.ts'
import { mergeSamples, type Sample } from '#metrics/sample.ts'
import { zoneSamples } from '#run/dns/samples.ts'
import type { Portico } from './portico.ts'
import { storeSamples } from './samples.ts'

/** Everything that is counted: of this process, its programs and its file, and of all data planes together. */
export async function metricsOf(portico: Portico): Promise<Sample[]> {
  const { front, lastReload, reloads, startedAt } = portico
  const { user, system } = process.cpuUsage()
  const own: Sample[] = [
    { family: 'portico_build', labels: [version(), process.version], value: 1 },
    { family: 'portico_config', labels: [front.plan.key], value: 1 },
    { family: 'portico_config_last_reload_successful', labels: [], value: lastReload.ok ? 1 : 0 },
    {
      family: 'portico_config_last_reload_timestamp_seconds',
      labels: [],
      value: reloads.lastGood.getTime() / 1000,
    },
    { family: 'portico_reloads', labels: ['ok'], value: reloads.ok },
    { family: 'portico_reloads', labels: ['failed'], value: reloads.failed },
    ...front.processes.states().flatMap(({ name, restarts, port }): Sample[] => [
      { family: 'portico_process_restarts', labels: [name], value: restarts },
      { family: 'portico_process_up', labels: [name], value: port === null ? 0 : 1 },
    ]),
    { family: 'process_resident_memory_bytes', labels: [], value: process.memoryUsage.rss() },
    { family: 'process_cpu_seconds', labels: [], value: (user + system) / 1e6 },
    { family: 'process_start_time_seconds', labels: [], value: startedAt.getTime() / 1000 },
  ]
  const live = (await front.live()).streams.flatMap(liveSamples)
  const stored = front.store === null ? [] : storeSamples(front.store.stats())
  return [...own, ...live, ...zoneSamples(front.dns), ...stored, ...mergeSamples(await front.samples())]
}

function liveSamples({
  stream,
  state,
  bitsPerSecond,
  encoders,
  viewers,
  seconds,
  octets,
}: StreamRow): Sample[] {
  const labels = [stream]
  return [
    { family: 'portico_live_up', labels, value: state === 'live' ? 1 : 0 },
    { family: 'portico_live_bits_per_second', labels, value: bitsPerSecond },
    { family: 'portico_live_encoders', labels, value: encoders },
    { family: 'portico_live_viewers', labels, value: viewers },
    { family: 'portico_live_window_seconds', labels, value: seconds },
    { family: 'portico_live_window_bytes', labels, value: octets },
  ]
}
