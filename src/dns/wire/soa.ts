import { takeName } from './field.ts'
import { printName } from './name.ts'
import { OctetReader, unlessFault } from './octets.ts'

/** The fields of a SOA (RFC 1035 §3.3.13); times in seconds. */
export type Soa = {
  /** absolute names */
  readonly mname: string
  readonly rname: string
  readonly serial: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** Read the rdata of a SOA; undefined when it is none. */
export function parseSoa(rdata: Uint8Array): Soa | undefined {
  return unlessFault(() => {
    const reader = new OctetReader(rdata)
    const [mname, rname] = [printName(takeName(reader)), printName(takeName(reader))]
    const [serial, refresh, retry] = [reader.u32(), reader.u32(), reader.u32()]
    return { mname, rname, serial, refresh, retry, expire: reader.u32(), minimum: reader.u32() }
  })
}
