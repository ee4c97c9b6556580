import type { Protocol } from './answer.ts'
import { rcodeName, TYPE, typeName } from './wire/types.ts'

/** Types that are counted by their name; others together. */
const COUNTED: readonly number[] = [
  TYPE.A,
  TYPE.NS,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.PTR,
  TYPE.MX,
  TYPE.TXT,
  TYPE.AAAA,
  TYPE.SRV,
  TYPE.NAPTR,
  TYPE.DS,
  TYPE.DNSKEY,
  TYPE.TLSA,
  TYPE.SVCB,
  TYPE.HTTPS,
  TYPE.IXFR,
  TYPE.AXFR,
  TYPE.ANY,
  TYPE.CAA,
]

/** Cells of one transport: other types, counted types, rcodes. */
const OTHER = 0
const RCODES = 1 + COUNTED.length
const CELLS = RCODES + 16

/** The cell of a type below 512, which are nearly all that are asked for. */
const cellOfType = new Uint8Array(512)
for (const [i, type] of COUNTED.entries()) cellOfType[type] = 1 + i

const HEADER = 12
const QDCOUNT = 5

/** Answers over a transport to questions of a type, or with an rcode. */
export type DnsCount = {
  readonly transport: string
  readonly by: 'type' | 'rcode'
  readonly name: string
  readonly count: number
}

/** Counts of answers by transport, type of the question and rcode. */
export class QueryCounts {
  readonly #cells: Readonly<Record<Protocol, Float64Array>> = {
    udp: new Float64Array(CELLS),
    tcp: new Float64Array(CELLS),
    tls: new Float64Array(CELLS),
    https: new Float64Array(CELLS),
  }

  /** Count an answer with its header and question, in which the name is whole (RFC 1035 §4.1.2). */
  count(transport: Protocol, message: Uint8Array): void {
    const cells = this.#cells[transport]
    cells[cellOfType[qtypeOf(message)] ?? OTHER]!++
    cells[RCODES + (message[3]! & 0x0f)]!++
  }

  /** What was counted, without zeros. */
  list(): DnsCount[] {
    return Object.entries(this.#cells).flatMap(([transport, cells]) => {
      const counted = Array.from(cells, (count, cell): DnsCount => ({ transport, ...nameOf(cell), count }))
      return counted.filter(({ count }) => count > 0)
    })
  }
}

function nameOf(cell: number): Pick<DnsCount, 'by' | 'name'> {
  if (cell >= RCODES) return { by: 'rcode', name: rcodeName(cell - RCODES) }
  return { by: 'type', name: cell === OTHER ? 'other' : typeName(COUNTED[cell - 1]!) }
}

/** 0 when there is no question, as after a message that could not be read. */
function qtypeOf(message: Uint8Array): number {
  if (message[QDCOUNT] !== 1) return 0
  let at = HEADER
  while (message[at]! > 0) at += message[at]! + 1
  return (message[at + 1]! << 8) | message[at + 2]!
}
