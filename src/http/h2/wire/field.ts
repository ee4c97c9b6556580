/** Octets that a field counts beside its name and value, in tables and lists (RFC 7541 §4.1, RFC 9113 §6.5.2). */
export const FIELD_OVERHEAD = 32

/** A field line as HPACK gives it: Latin-1, not yet looked at. The same object each time a table entry is meant. */
export class Field {
  readonly name: string
  readonly value: string
  readonly sizeOctets: number
  /** what its name and value were found to be, 0 before: an entry that comes again is not judged again */
  kind = 0

  constructor(name: string, value: string) {
    this.name = name
    this.value = value
    this.sizeOctets = name.length + value.length + FIELD_OVERHEAD
  }
}
