import { name, takeName } from './field.ts'
import { FORMATS } from './format.ts'
import { lowerName } from './name.ts'
import { OctetReader } from './octets.ts'
import { TYPE } from './types.ts'

/** Types whose names are compared and signed in lower case (RFC 4034 §6.2, without NSEC by RFC 6840 §5.1). */
const LOWERED: ReadonlySet<number> = new Set([
  TYPE.NS,
  TYPE.MD,
  TYPE.MF,
  TYPE.CNAME,
  TYPE.SOA,
  TYPE.MB,
  TYPE.MG,
  TYPE.MR,
  TYPE.PTR,
  TYPE.MINFO,
  TYPE.MX,
  TYPE.RP,
  TYPE.AFSDB,
  TYPE.RT,
  TYPE.SIG,
  TYPE.PX,
  TYPE.NXT,
  TYPE.NAPTR,
  TYPE.KX,
  TYPE.SRV,
  TYPE.DNAME,
  TYPE.A6,
  TYPE.RRSIG,
])

/**
 * Rdata in canonical form (RFC 4034 §6.2): names in lower case for the types that are older than the rule.
 *
 * @param rdata uncompressed
 */
export function canonicalRdata(type: number, rdata: Uint8Array): Uint8Array {
  const fields = LOWERED.has(type) ? FORMATS.get(type) : undefined
  if (fields === undefined) return rdata
  const reader = new OctetReader(rdata)
  const parts = fields.map(({ codec }) => {
    if (codec === name) return lowerName(takeName(reader))
    const start = reader.at
    codec.print(reader)
    return rdata.subarray(start, reader.at)
  })
  return Buffer.concat(parts)
}

/** The order of an RRset's records: rdata as octets, without doubles (RFC 4034 §6.3). */
export function canonicalOrder(type: number, rdata: readonly Uint8Array[]): Uint8Array[] {
  const sorted = rdata.map((data) => canonicalRdata(type, data)).sort(Buffer.compare)
  return sorted.filter((data, i) => i === 0 || Buffer.compare(data, sorted[i - 1]!) !== 0)
}
