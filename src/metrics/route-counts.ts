import { countDuration, HISTOGRAM_CELLS, type Histogram, readHistogram } from '#core/histogram.ts'
import type { ExchangeEnd, ExchangeNote } from '#http/exchange.ts'
import type { HttpPlan } from '#http/plan.ts'
import type { Sample } from './sample.ts'

/** Cells of one route: by class of status, then durations, and sums. */
const CLASSES = 0
const DURATION = CLASSES + 6
const FIRST_OCTET = DURATION + HISTOGRAM_CELLS
const SENT = FIRST_OCTET + HISTOGRAM_CELLS
const RECEIVED = SENT + 1
const REFUSED = RECEIVED + 1
const CELLS = REFUSED + 1

/** The row of requests that no route of its own is counted for. */
const OTHER = 0

type Labels = readonly [host: string, route: string]

/**
 * Counts of one data plane by route. Rows are given out when a Plan is committed: a request finds its row by the id of
 * its route, and counts without allocating or writing text.
 */
export class RouteCounts {
  /** requests that began, and those that ended */
  begun = 0
  ended = 0
  #rows: ReadonlyMap<string, number> = new Map()
  #labels: readonly Labels[] = [['other', 'other']]
  #cells = new Float64Array(CELLS)

  /**
   * Give rows to the routes of another Plan; what those that left have counted goes to `other`, so that sums only grow.
   *
   * @param limitRoutes further routes are counted together as `other`
   */
  commit({ hosts }: Pick<HttpPlan, 'hosts'>, limitRoutes: number): void {
    const rows = new Map<string, number>()
    const labels: Labels[] = [['other', 'other']]
    for (const { name, routes } of hosts) {
      for (const { id, pattern } of routes) {
        if (rows.size >= limitRoutes || rows.has(id)) continue
        rows.set(id, labels.length)
        labels.push([name, pattern])
      }
    }
    const cells = new Float64Array(labels.length * CELLS)
    this.#add(cells, OTHER, OTHER)
    for (const [id, row] of this.#rows) this.#add(cells, row, rows.get(id) ?? OTHER)
    this.#rows = rows
    this.#labels = labels
    this.#cells = cells
  }

  /** Count an exchange that has ended at `now`, in milliseconds as in the note. */
  count({ routeId, startedAt, answeredAt, answeredBy }: ExchangeNote, end: ExchangeEnd, now: number): void {
    this.ended++
    const cells = this.#cells
    const at = (this.#rows.get(routeId) ?? OTHER) * CELLS
    cells[at + CLASSES + Math.floor(end.status / 100)]!++
    // What became a tunnel lasts as long as people like.
    if (end.status !== 101) countDuration(cells, at + DURATION, now - startedAt)
    // Whoever broke the protocol was answered by the connection, which takes no time.
    if (!Number.isNaN(answeredAt)) countDuration(cells, at + FIRST_OCTET, answeredAt - startedAt)
    cells[at + SENT]! += end.sentOctets
    cells[at + RECEIVED]! += end.receivedOctets
    if (answeredBy === 'limits') cells[at + REFUSED]!++
  }

  /** Routes that nobody has asked for are left out, as are classes that did not come. */
  samples(): Sample[] {
    return this.#labels.flatMap((labels, row) => this.#samplesOf(labels, row * CELLS))
  }

  #samplesOf([host, route]: Labels, at: number): Sample[] {
    const labels = [host, route]
    const cell = (offset: number): number => this.#cells[at + offset]!
    const classes = CLASS_NAMES.flatMap((name, i): Sample[] => {
      const value = cell(CLASSES + i)
      return value === 0 ? [] : [{ family: 'portico_http_requests', labels: [...labels, name], value }]
    })
    if (classes.length === 0) return []
    const histogram = (offset: number): Histogram => readHistogram(this.#cells, at + offset)
    return [
      ...classes,
      { family: 'portico_http_request_duration_seconds', labels, value: histogram(DURATION) },
      { family: 'portico_http_first_octet_seconds', labels, value: histogram(FIRST_OCTET) },
      { family: 'portico_http_sent_bytes', labels, value: cell(SENT) },
      { family: 'portico_http_received_bytes', labels, value: cell(RECEIVED) },
      { family: 'portico_http_refused_requests', labels, value: cell(REFUSED) },
    ]
  }

  #add(to: Float64Array, from: number, row: number): void {
    for (let i = 0; i < CELLS; i++) to[row * CELLS + i]! += this.#cells[from * CELLS + i]!
  }
}

const CLASS_NAMES: readonly string[] = ['none', '1xx', '2xx', '3xx', '4xx', '5xx']
