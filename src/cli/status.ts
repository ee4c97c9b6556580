import { formatDuration, formatSize } from '#core/units.ts'
import type { Status } from '#run/status.ts'
import { type Command, flagOption } from './command.ts'
import { hostTable } from './host-table.ts'
import { paint, plural, print, printError, printJson } from './print.ts'
import { askRunning, NOT_RUNNING } from './running.ts'

/** `portico status` */
export const statusCommand: Command = {
  name: 'status',
  summary: 'Show what a running Portico serves, and how each host is doing.',
  usage: '[--json] [--config FILE]',
  options: { json: { type: 'boolean', doc: 'Everything as JSON.' } },
  examples: ['portico status', 'portico status --json'],
  async run(input) {
    const status = (await askRunning(input, 'GET /status')) as Status | null
    if (status === null) {
      printError(NOT_RUNNING)
      return 1
    }
    if (flagOption(input, 'json')) printJson(status)
    else printStatus(status)
    return 0
  },
}

function printStatus({ pid, startedAt, file, hosts, listeners, http, cache, dns, reload }: Status): void {
  const seconds = Math.floor((Date.now() - Date.parse(startedAt)) / 1000)
  print(
    `${paint('strong', 'Portico')} serves ${file ?? 'a program'} as process ${pid}, for ${formatDuration(seconds * 1000)}`,
  )
  print(`  listens on ${listeners.map(({ protocol, socket }) => `${protocol} ${socket}`).join(', ')}`)
  print(
    `  HTTP: ${plural(http.requests, 'request')}, ${plural(http.connections, 'open connection')}, ${formatSize(http.sentOctets)} sent, ${http.byClass[5] ?? 0} failed (5xx)`,
  )
  if (cache !== null) print(`  cache: ${cacheText(cache)}`)
  print(
    `  DNS: ${plural(dns.queries, 'query').replace('querys', 'queries')}, ${dns.rcodes[3] ?? 0} for names that do not exist, ${dns.dropped} dropped`,
  )
  if (!reload.ok) print(paint('error', `  The last reload failed: ${reload.message}`))
  print('')
  for (const line of hostTable(hosts)) print(line)
}

function cacheText(cache: NonNullable<Status['cache']>): string {
  const { hits, misses, collapsed, savedOctets, objects, memory, disk, evictions } = cache
  const ratio = hits + misses === 0 ? '' : `, ${((100 * hits) / (hits + misses)).toFixed(1)} % hits`
  const onDisk =
    disk === null ? '' : `, ${formatSize(disk.octets)} on disk${disk.isOn ? '' : ' (turned off)'}`
  return `${plural(objects, 'response')}, ${formatSize(memory.octets)} of ${formatSize(memory.budgetOctets)} in memory${onDisk}${ratio}, ${formatSize(savedOctets)} saved, ${collapsed} collapsed, ${evictions} evicted`
}
