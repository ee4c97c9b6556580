import type { BusyKey } from '#metrics/busiest.ts'
import {
  groupRows,
  type Rate,
  rateBetween,
  sumRows,
  type Traffic,
  type TrafficRow,
} from '#metrics/traffic.ts'
import { showNumber, showOctets, showSeconds } from './figures.ts'
import { paint } from './print.ts'
import type { Size } from './screen.ts'
import { alignedTable, type Column, wrap } from './table.ts'

/** What went through between two looks, the busiest first: plain JSON. */
export type Top = {
  readonly seconds: number
  readonly inFlight: number
  readonly connections: number
  readonly all: Rate
  readonly hosts: readonly TopRow[]
  readonly routes: readonly TopRow[]
  readonly clients: readonly {
    readonly name: string
    readonly requestsPerSecond: number
    readonly sentPerSecond: number
  }[]
}

export type TopRow = Rate & { readonly name: string }

/** Rank what grew between two looks. */
export function topOf(before: Traffic, now: Traffic, clients: readonly BusyKey[], seconds: number): Top {
  const hostOf = (key: string): string => key.split(' ')[0]!
  const routeOf = (key: string): string => (key === 'other other' ? 'other' : key.replace(' ', ''))
  return {
    seconds,
    inFlight: now.inFlight,
    connections: now.connections,
    all: rateBetween(sumRows(Object.values(before.routes)), sumRows(Object.values(now.routes)), seconds),
    hosts: ranked(groupRows(before.routes, hostOf), groupRows(now.routes, hostOf), seconds),
    routes: ranked(groupRows(before.routes, routeOf), groupRows(now.routes, routeOf), seconds),
    clients: clients.map(({ key, requests, octets }) => ({
      name: key,
      requestsPerSecond: requests / seconds,
      sentPerSecond: octets / seconds,
    })),
  }
}

/** Rows that `--json` has of each kind. */
const LIMIT_ROWS = 100

function ranked(
  before: Readonly<Record<string, TrafficRow>>,
  now: Readonly<Record<string, TrafficRow>>,
  seconds: number,
): TopRow[] {
  return Object.entries(now)
    .map(([name, row]) => ({ name, ...rateBetween(before[name], row, seconds) }))
    .filter(({ requestsPerSecond }) => requestsPerSecond > 0)
    .sort((a, b) => b.requestsPerSecond - a.requestsPerSecond || (a.name < b.name ? -1 : 1))
    .slice(0, LIMIT_ROWS)
}

const RATES: readonly Column[] = [
  { title: 'REQ/S', align: 'right' },
  { title: '5XX/S', align: 'right' },
  { title: 'SENT/S', align: 'right', isOptional: true },
  { title: 'P50', align: 'right', isOptional: true },
  { title: 'P99', align: 'right' },
]

const CLIENT: readonly Column[] = [
  { title: 'CLIENT' },
  { title: 'REQ/S', align: 'right' },
  { title: 'SENT/S', align: 'right' },
]

/** What `portico top` says, for a terminal of this size; a part that has little to say leaves its lines to the others. */
export function topLines(top: Top, { columns, rows }: Size): string[] {
  const { hosts, routes, clients } = top
  const summary = wrap(summaryOf(top), ' · ', columns)
  const room = rows - summary.length - TITLE_LINES
  const [hostLimit = 0, routeLimit = 0, clientLimit = 0] = shareLines(room, [
    hosts.length,
    routes.length,
    clients.length,
  ])
  const clientRows = clients.slice(0, clientLimit).map(({ name, requestsPerSecond, sentPerSecond }) => {
    return [name, showNumber(requestsPerSecond), showOctets(sentPerSecond)]
  })
  const table = (title: string, found: readonly TopRow[], limit: number): string[] =>
    alignedTable([{ title }, ...RATES], found.slice(0, limit).map(cellsOf), columns, paintCell)
  return [
    ...summary,
    '',
    ...table('HOST', hosts, hostLimit),
    '',
    ...table('ROUTE', routes, routeLimit),
    '',
    ...alignedTable(CLIENT, clientRows, columns, paintCell),
  ]
}

/** Three titles, three empty lines and the last line of the terminal. */
const TITLE_LINES = 7

function summaryOf({ all, inFlight, connections }: Top): string[] {
  const failed = `${showNumber(all.failuresPerSecond)} failed/s`
  return [
    paint('strong', `${showNumber(all.requestsPerSecond)} requests/s`),
    all.failuresPerSecond > 0 ? paint('error', failed) : failed,
    `${showOctets(all.sentPerSecond)}/s sent`,
    `p50 ${showSeconds(all.p50Seconds)}, p99 ${showSeconds(all.p99Seconds)}`,
    `${inFlight} under way, ${connections} connected`,
  ]
}

function cellsOf(row: TopRow): string[] {
  return [
    row.name,
    showNumber(row.requestsPerSecond),
    showNumber(row.failuresPerSecond),
    showOctets(row.sentPerSecond),
    showSeconds(row.p50Seconds),
    showSeconds(row.p99Seconds),
  ]
}

function paintCell(text: string, row: number, title: string): string {
  if (row === -1) return paint('quiet', text)
  return title === '5XX/S' && text.trim() !== '0' ? paint('error', text) : text
}

/** Share lines out evenly; what one does not need the others get. */
export function shareLines(lines: number, wanted: readonly number[]): number[] {
  const given = wanted.map(() => 0)
  for (let left = Math.max(lines, wanted.length); left > 0; ) {
    const hungry = wanted.flatMap((want, i) => (want > given[i]! ? [i] : []))
    if (hungry.length === 0) break
    for (const i of hungry.slice(0, left)) given[i]!++
    left -= Math.min(left, hungry.length)
  }
  return given
}
