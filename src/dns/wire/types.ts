/**
 * Resource record types (IANA "Domain Name System (DNS) Parameters").
 *
 * Meta-types and QTYPEs, which never stand in a zone, are here too: see `isMetaType`.
 */
export const TYPE = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  OPT: 41,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
} as const

export type TypeMnemonic = keyof typeof TYPE

/** RFC 1035 §3.2.4, and the two of RFC 2136 §2.4. */
export const CLASS = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const

/** RFC 1035 §4.1.1, RFC 1996, RFC 2136, RFC 8490. */
export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5, DSO: 6 } as const

/** Options of EDNS (RFC 5001, 7871, 7873, 7828, 7830). */
export const OPTION = { NSID: 3, SUBNET: 8, COOKIE: 10, KEEPALIVE: 11, PADDING: 12 } as const

/** RFC 1035 §4.1.1, RFC 2136 §2.2; from 16 on with the upper bits in the OPT record (RFC 6891 §6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  DSOTYPENI: 11,
  BADVERS: 16,
  BADKEY: 17,
  BADTIME: 18,
  BADMODE: 19,
  BADNAME: 20,
  BADALG: 21,
  BADTRUNC: 22,
  BADCOOKIE: 23,
} as const

const TYPE_NAMES = invert(TYPE)
const CLASS_NAMES = invert(CLASS)
const RCODE_NAMES = invert(RCODE)

/**
 * A type's number from its mnemonic, in any case, or from `TYPE65280` (RFC 3597 §5).
 *
 * @returns undefined when there is no such type
 */
export function typeNumber(text: string): number | undefined {
  return lookUp(TYPE, 'TYPE', text)
}

/** The mnemonic, or `TYPE65280` when there is none (RFC 3597 §5). */
export function typeName(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`
}

/** A class's number from its mnemonic, in any case, or from `CLASS32` (RFC 3597 §5). */
export function classNumber(text: string): number | undefined {
  return lookUp(CLASS, 'CLASS', text)
}

/** The mnemonic, or `CLASS32` when there is none (RFC 3597 §5). */
export function className(number: number): string {
  return CLASS_NAMES.get(number) ?? `CLASS${number}`
}

/** The mnemonic, or `RCODE12` when there is none. */
export function rcodeName(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`
}

/** A type of queries and messages, never of a zone's records: 128 to 255, OPT and 0 (RFC 6895 §3.1). */
export function isMetaType(type: number): boolean {
  return (type >= 128 && type <= 255) || type === TYPE.OPT || type === 0
}

function lookUp(table: Readonly<Record<string, number>>, prefix: string, text: string): number | undefined {
  const upper = text.toUpperCase()
  if (Object.hasOwn(table, upper)) return table[upper]
  if (!upper.startsWith(prefix)) return undefined
  const digits = upper.slice(prefix.length)
  return /^(?:0|[1-9]\d{0,4})$/.test(digits) && Number(digits) <= 0xffff ? Number(digits) : undefined
}

function invert(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, number]) => [number, name]))
}
