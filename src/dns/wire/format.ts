import { prefixes } from './apl.ts'
import {
  base64,
  countedBase32,
  countedHex,
  type FieldCodec,
  hex,
  hyphenated,
  integer,
  integer64,
  ipv4,
  ipv6,
  locator,
  name,
  nsapHex,
  optionalBase64,
  period,
  string,
  strings,
  tag,
  target,
  text,
  time,
  type,
  types,
} from './field.ts'
import { amtRelay, hip, ipsecGateway } from './gateway.ts'
import { location } from './loc.ts'
import { prefixedAddress, services } from './old-types.ts'
import { svcParams } from './svcparams.ts'
import { TYPE, type TypeMnemonic } from './types.ts'

/** IANA "DNS Security Algorithm Numbers". */
const ALGORITHMS = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  'RSASHA1-NSEC3-SHA1': 7,
  RSASHA256: 8,
  RSASHA512: 10,
  'ECC-GOST': 12,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
  INDIRECT: 252,
  PRIVATEDNS: 253,
  PRIVATEOID: 254,
}

/** RFC 4398 §2.1. */
const CERTIFICATE_TYPES = {
  PKIX: 1,
  SPKI: 2,
  PGP: 3,
  IPKIX: 4,
  ISPKI: 5,
  IPGP: 6,
  ACPKIX: 7,
  IACPKIX: 8,
  URI: 253,
  OID: 254,
}

const CODECS = {
  u8: integer(1),
  u16: integer(2),
  u32: integer(4),
  u64: integer64,
  algorithm: integer(1, ALGORITHMS),
  certificateType: integer(2, CERTIFICATE_TYPES),
  // RFC 9859 §2.
  scheme: integer(1, { NOTIFY: 1 }),
  period,
  time,
  name,
  type,
  types,
  ipv4,
  ipv6,
  string,
  strings,
  text,
  target,
  tag,
  hex,
  countedHex,
  nsapHex,
  base64,
  optionalBase64,
  countedBase32,
  eui48: hyphenated(6),
  eui64: hyphenated(8),
  locator,
  svcParams,
  location,
  prefixes,
  ipsecGateway,
  amtRelay,
  hip,
  services,
  prefixedAddress,
} as const satisfies Readonly<Record<string, FieldCodec>>

type Kind = keyof typeof CODECS

/** A field: its name in the RFC (hyphens for blanks), a colon, its codec. */
type Written = `${string}:${Kind}`

const DS: readonly Written[] = ['key-tag:u16', 'algorithm:algorithm', 'digest-type:u8', 'digest:hex']
const DNSKEY: readonly Written[] = ['flags:u16', 'protocol:u8', 'algorithm:algorithm', 'key:base64']
const TLSA: readonly Written[] = ['usage:u8', 'selector:u8', 'matching-type:u8', 'data:hex']
const SVCB: readonly Written[] = ['priority:u16', 'target:name', 'parameters:svcParams']
const RRSIG: readonly Written[] = [
  'type-covered:type',
  'algorithm:algorithm',
  'labels:u8',
  'original-ttl:u32',
  'expiration:time',
  'inception:time',
  'key-tag:u16',
  'signer:name',
  'signature:base64',
]

/**
 * What the rdata of each type is made of. Types without a row have only the form of RFC 3597 §5: those that no
 * zone holds, NULL, and some that never left the laboratory.
 */
const WRITTEN: Partial<Readonly<Record<TypeMnemonic, readonly Written[]>>> = {
  A: ['address:ipv4'],
  NS: ['name-server:name'],
  MD: ['agent:name'],
  MF: ['agent:name'],
  CNAME: ['target:name'],
  SOA: [
    'mname:name',
    'rname:name',
    'serial:u32',
    'refresh:period',
    'retry:period',
    'expire:period',
    'minimum:period',
  ],
  MB: ['host:name'],
  MG: ['mailbox:name'],
  MR: ['mailbox:name'],
  WKS: ['address:ipv4', 'services:services'],
  PTR: ['target:name'],
  HINFO: ['cpu:string', 'os:string'],
  MINFO: ['responsible-mailbox:name', 'error-mailbox:name'],
  MX: ['preference:u16', 'exchange:name'],
  TXT: ['text:strings'],
  RP: ['mailbox:name', 'text-name:name'],
  AFSDB: ['subtype:u16', 'host:name'],
  X25: ['address:string'],
  ISDN: ['address:strings'],
  RT: ['preference:u16', 'host:name'],
  NSAP: ['address:nsapHex'],
  'NSAP-PTR': ['target:name'],
  SIG: RRSIG,
  KEY: ['flags:u16', 'protocol:u8', 'algorithm:algorithm', 'key:optionalBase64'],
  PX: ['preference:u16', 'map822:name', 'mapx400:name'],
  GPOS: ['longitude:string', 'latitude:string', 'altitude:string'],
  AAAA: ['address:ipv6'],
  LOC: ['place:location'],
  EID: ['endpoint:hex'],
  NIMLOC: ['locator:hex'],
  SRV: ['priority:u16', 'weight:u16', 'port:u16', 'target:name'],
  NAPTR: [
    'order:u16',
    'preference:u16',
    'flags:string',
    'services:string',
    'regexp:string',
    'replacement:name',
  ],
  KX: ['preference:u16', 'exchanger:name'],
  CERT: ['certificate-type:certificateType', 'key-tag:u16', 'algorithm:algorithm', 'certificate:base64'],
  A6: ['address:prefixedAddress'],
  DNAME: ['target:name'],
  APL: ['prefixes:prefixes'],
  DS,
  SSHFP: ['algorithm:u8', 'fingerprint-type:u8', 'fingerprint:hex'],
  IPSECKEY: ['precedence:u8', 'gateway:ipsecGateway'],
  RRSIG,
  NSEC: ['next-name:name', 'types:types'],
  DNSKEY,
  DHCID: ['identity:base64'],
  NSEC3: [
    'hash-algorithm:u8',
    'flags:u8',
    'iterations:u16',
    'salt:countedHex',
    'next-hashed-owner:countedBase32',
    'types:types',
  ],
  NSEC3PARAM: ['hash-algorithm:u8', 'flags:u8', 'iterations:u16', 'salt:countedHex'],
  TLSA,
  SMIMEA: TLSA,
  HIP: ['identity:hip'],
  NINFO: ['text:strings'],
  RKEY: DNSKEY,
  TALINK: ['previous:name', 'next:name'],
  CDS: DS,
  CDNSKEY: DNSKEY,
  OPENPGPKEY: ['key:base64'],
  CSYNC: ['serial:u32', 'flags:u16', 'types:types'],
  ZONEMD: ['serial:u32', 'scheme:u8', 'hash-algorithm:u8', 'digest:hex'],
  SVCB,
  HTTPS: SVCB,
  DSYNC: ['type:type', 'scheme:scheme', 'port:u16', 'target:name'],
  HHIT: ['identity:base64'],
  BRID: ['identity:base64'],
  SPF: ['text:strings'],
  NID: ['preference:u16', 'node-id:locator'],
  L32: ['preference:u16', 'locator:ipv4'],
  L64: ['preference:u16', 'locator:locator'],
  LP: ['preference:u16', 'target:name'],
  EUI48: ['address:eui48'],
  EUI64: ['address:eui64'],
  URI: ['priority:u16', 'weight:u16', 'target:target'],
  CAA: ['flags:u8', 'tag:tag', 'value:text'],
  AVC: ['text:strings'],
  AMTRELAY: ['precedence:u8', 'relay:amtRelay'],
  RESINFO: ['text:strings'],
  WALLET: ['text:strings'],
  CLA: ['text:strings'],
  IPN: ['node:u64'],
  TA: DS,
  DLV: DS,
}

/** One field of a type's rdata: `label` is its name in messages, `codec` how it is read and written. */
export type Field = { readonly label: string; readonly codec: FieldCodec }

/** The fields of each type that has a form of its own, by its number. */
export const FORMATS: ReadonlyMap<number, readonly Field[]> = new Map(
  Object.entries(WRITTEN).map(([mnemonic, fields]) => [
    TYPE[mnemonic as TypeMnemonic],
    fields.map(readField),
  ]),
)

function readField(written: Written): Field {
  const [label, kind] = written.split(':') as [string, Kind]
  return { label: label.replaceAll('-', ' '), codec: CODECS[kind] }
}
