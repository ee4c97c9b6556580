import { hitRatio } from '#cache/counts.ts'
import { failureLines } from '#cli/commands/certs.ts'
import { plural } from '#core/units.ts'
import { type Rate, rateBetween, sumRows, type Traffic } from '#metrics/traffic.ts'
import type { Status } from '#run/status.ts'
import { showAge, showNumber, showOctets, showSeconds } from './figures.ts'
import { paint, type Style } from './print.ts'
import { alignedTable, type Column } from './table.ts'

/** Two looks at a running Portico. */
export type Looks = { readonly before: Traffic; readonly now: Status; readonly seconds: number }

/** What `portico status` says, for a terminal of so many columns. */
export function statusLines({ before, now, seconds }: Looks, columns: number): string[] {
  const { pid, startedAt, file, listeners, reload } = now
  const age = (Date.now() - Date.parse(startedAt)) / 1000
  return [
    `${paint('strong', 'Portico')} serves ${file ?? 'a program'} as process ${pid}, for ${showAge(age)}`,
    `  listens on ${listeners.map(({ protocol, socket }) => `${protocol} ${socket}`).join(', ')}`,
    ...workerLines(now.workers),
    ...failureLines(now.certificates).map((line) => `  ${line}`),
    ...(reload.ok ? [] : [paint('error', `  The last reload failed: ${reload.message}`)]),
    ...(now.cache === null ? [] : [`  cache: ${cacheText(now.cache)}`]),
    '',
    ...totals({ before, now, seconds }, columns),
    '',
    ...hostTable({ before, now, seconds }, columns),
    ...originTable({ before, now, seconds }, columns),
    ...liveTable(now, columns),
  ]
}

/** What is kept, and what it has saved. */
function cacheText(cache: NonNullable<Status['cache']>): string {
  const { collapsed, savedOctets, objects, memory, disk, evictions } = cache
  const share = hitRatio(cache)
  const ratio = share === undefined ? '' : `, ${(100 * share).toFixed(1)} % hits`
  const onDisk =
    disk === null ? '' : `, ${showOctets(disk.octets)} on disk${disk.isOn ? '' : ' (turned off)'}`
  return `${plural(objects, 'response')}, ${showOctets(memory.octets)} of ${showOctets(memory.budgetOctets)} in memory${onDisk}${ratio}, ${showOctets(savedOctets)} saved, ${collapsed} collapsed, ${evictions} evicted`
}

/** How many serve, and why others do not or had to be replaced. */
function workerLines(workers: Status['workers']): string[] {
  const serving = workers.filter(({ state }) => state === 'serving').length
  const replaced = workers.filter(({ lastEnd }) => lastEnd !== null)
  return [
    `  ${plural(serving, 'worker')} of ${workers.length} ${serving === 1 ? 'serves' : 'serve'}`,
    ...replaced.map(({ worker, state, restarts, lastEnd }) => {
      const why = lastEnd!.split('\n', 1)[0]
      const text = `  worker ${worker} is ${state}, started again ${plural(restarts, 'time')}: ${why}`
      return paint('warning', text)
    }),
  ]
}

const TOTALS: readonly Column[] = [
  { title: '' },
  { title: 'NOW', align: 'right' },
  { title: 'IN ALL', align: 'right' },
]

function totals({ before, now, seconds }: Looks, columns: number): string[] {
  const { traffic, http, dns } = now
  const all = sumRows(Object.values(traffic.routes))
  const rate = rateBetween(sumRows(Object.values(before.routes)), all, seconds)
  const queries = (traffic.dnsQueries - before.dnsQueries) / seconds
  const overall = rateBetween(undefined, all, 1)
  const rows = [
    ['Requests', `${showNumber(rate.requestsPerSecond)}/s`, showNumber(all.requests)],
    ['  failed (5xx)', `${showNumber(rate.failuresPerSecond)}/s`, showNumber(all.failures)],
    ['  p50', showSeconds(rate.p50Seconds), showSeconds(overall.p50Seconds)],
    ['  p99', showSeconds(rate.p99Seconds), showSeconds(overall.p99Seconds)],
    ['  under way', String(traffic.inFlight), ''],
    ['Sent', `${showOctets(rate.sentPerSecond)}/s`, showOctets(all.sentOctets)],
    ['Received', `${showOctets(rate.receivedPerSecond)}/s`, showOctets(all.receivedOctets)],
    ['Connections', String(http.connections), ''],
    ['DNS queries', `${showNumber(queries)}/s`, showNumber(traffic.dnsQueries)],
    ['  no such name', '', showNumber(dns.rcodes[3] ?? 0)],
    ['  dropped', '', showNumber(dns.dropped)],
  ]
  return alignedTable(TOTALS, rows, columns, (text, row, title) => {
    if (row === -1) return paint('quiet', text)
    const isFault = row === 1 && title !== '' && !['0', '0/s'].includes(text.trim())
    return isFault ? paint('error', text) : text
  })
}

const HOSTS: readonly Column[] = [
  { title: 'HOST' },
  { title: 'REQ/S', align: 'right' },
  { title: '5XX/S', align: 'right' },
  { title: 'P50', align: 'right', isOptional: true },
  { title: 'P99', align: 'right', isOptional: true },
  { title: 'STATE' },
  { title: 'LEADS TO', isFree: true },
]

function hostTable({ before, now, seconds }: Looks, columns: number): string[] {
  const { hosts, traffic } = now
  const rows = hosts.slice(0, LIMIT_ROWS).map(({ url, host, pattern, state, leadsTo }) => {
    const key = `${host} ${pattern}`
    const rate = rateBetween(before.routes[key], traffic.routes[key], seconds)
    // Why it is down stands beside its origins.
    return [url, ...rateCells(rate), state.split(':')[0]!, leadsTo]
  })
  const lines = alignedTable(HOSTS, rows, columns, paintState)
  return withRest(lines, hosts.length - rows.length)
}

function rateCells({ requestsPerSecond, failuresPerSecond, p50Seconds, p99Seconds }: Rate): string[] {
  return [
    showNumber(requestsPerSecond),
    showNumber(failuresPerSecond),
    showSeconds(p50Seconds),
    showSeconds(p99Seconds),
  ]
}

/** A cell: titles are quiet, and a state has its colour. */
function paintState(text: string, row: number, title: string): string {
  if (row === -1) return paint('quiet', text)
  return title === 'STATE' ? paint(styleOfState(text.trim()), text) : text
}

function styleOfState(state: string): Style {
  if (state === 'answers' || state === 'ready' || state === 'up') return 'good'
  return state === 'not asked yet' || state === 'starting' ? 'quiet' : 'error'
}

function withRest(lines: readonly string[], hidden: number): string[] {
  return [...lines, ...(hidden > 0 ? [`… and ${hidden} more`] : [])]
}

const ORIGINS: readonly Column[] = [
  { title: 'ORIGIN' },
  { title: 'REQ/S', align: 'right' },
  { title: '5XX/S', align: 'right' },
  { title: 'P50', align: 'right', isOptional: true },
  { title: 'P99', align: 'right', isOptional: true },
  { title: 'STATE' },
  { title: 'OPEN', align: 'right', isOptional: true },
  { title: 'WAITING', align: 'right', isOptional: true },
  { title: 'WHY', isFree: true },
]

function originTable({ before, now, seconds }: Looks, columns: number): string[] {
  const { origins, traffic } = now
  if (origins.length === 0) return []
  const rows = origins.slice(0, LIMIT_ROWS).map(({ id, isDown, open, waiting, why }) => {
    const name = id.replace('origin:', '')
    const rate = rateBetween(before.origins[name], traffic.origins[name], seconds)
    return [name, ...rateCells(rate), isDown ? 'down' : 'up', String(open), String(waiting), why]
  })
  const lines = alignedTable(ORIGINS, rows, columns, paintState)
  return ['', ...withRest(lines, origins.length - rows.length)]
}

const LIVE: readonly Column[] = [
  { title: 'LIVE' },
  { title: 'STATE' },
  { title: 'FOR', align: 'right' },
  { title: 'VIEWERS', align: 'right' },
  { title: 'LAST PART', align: 'right', isOptional: true },
  { title: 'BIT/S', align: 'right' },
  { title: 'WINDOW', align: 'right' },
  { title: 'ON DISK', align: 'right', isOptional: true },
  { title: 'TRACKS', isFree: true },
]

/** Streams, and programs that should bring one and do not. */
function liveTable({ live, at }: Status, columns: number): string[] {
  const rows = live.streams
    .slice(0, LIMIT_ROWS)
    .map((row) => [
      row.stream,
      row.state,
      showAge((Date.parse(at) - Date.parse(row.since)) / 1000),
      showNumber(row.viewers),
      row.lastPartMsAgo === null ? '' : showSeconds(row.lastPartMsAgo / 1000),
      showNumber(row.bitsPerSecond),
      showAge(row.seconds),
      showOctets(row.octets),
      [
        ...row.tracks,
        ...(row.withoutKey === 0 ? [] : [`${row.withoutKey} segments without a key frame`]),
        ...(row.why === null ? [] : [row.why]),
      ].join(', '),
    ])
  const failing = live.sources.filter(({ state }) => state !== 'running')
  if (rows.length === 0 && failing.length === 0) return []
  const lines = alignedTable(LIVE, rows, columns, (text, row, title) => {
    if (row === -1) return paint('quiet', text)
    return title === 'STATE' ? paint(text.trim() === 'live' ? 'good' : 'quiet', text) : text
  })
  return [
    '',
    ...(rows.length === 0 ? [] : withRest(lines, live.streams.length - rows.length)),
    ...failing.map(({ stream, url, state, lastEnd }) =>
      paint('warning', `  ${stream} (${url}) is ${state}: ${lastEnd}`),
    ),
  ]
}

/** More would scroll what matters off the screen; `--json` has them all. */
const LIMIT_ROWS = 40
