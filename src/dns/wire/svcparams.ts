import { parseIpv4, parseIpv6, printIpv4, printIpv6 } from './address.ts'
import { parseBase64 } from './encoding.ts'
import { counted, type FieldCodec } from './field.ts'
import { asBuffer, encodeInteger, Fault, OctetReader, unlessFault } from './octets.ts'
import type { Token } from './scan.ts'
import { quoteOctets, showText, unescapeText } from './text.ts'

/** The value of one SvcParamKey. Texts are Latin-1: a character an octet. */
type SvcParam = {
  readonly wants: string
  readonly parse: (value: string) => Uint8Array | undefined
  /** As in a master file; undefined, or a Fault, when the octets are no such value. */
  readonly print: (octets: Uint8Array) => string | undefined
}

const MANDATORY = 0
const ALPN = 1
const NO_DEFAULT_ALPN = 2

/** IANA "DNS Service Bindings (SVCB)"; 65535 is the key that no record may have (RFC 9460 §14.3.2). */
const KEYS: readonly string[] = [
  'mandatory',
  'alpn',
  'no-default-alpn',
  'port',
  'ipv4hint',
  'ech',
  'ipv6hint',
  'dohpath',
  'ohttp',
]
const NO_KEY = 65535

const PARAMS: Readonly<Record<string, SvcParam>> = {
  mandatory: {
    wants: 'a list of other keys, each once',
    parse: (value) => {
      const keys = value.split(',').map((key) => keyNumber(key) ?? MANDATORY)
      if (keys.includes(MANDATORY) || new Set(keys).size < keys.length) return undefined
      return Buffer.concat(keys.sort((a, b) => a - b).map((key) => encodeInteger(key, 2)))
    },
    print: (octets) => {
      const keys = readKeys(octets)
      return keys.length > 0 && keys.every((key, i) => key > (keys[i - 1] ?? MANDATORY))
        ? keys.map(keyName).join(',')
        : undefined
    },
  },
  alpn: {
    wants: 'a list of protocol ids such as h2,h3',
    parse: (value) => {
      const ids = splitList(value).map((id) => Buffer.from(id, 'latin1'))
      return ids.every((id) => id.length > 0 && id.length <= 255)
        ? Buffer.concat(ids.map(counted))
        : undefined
    },
    print: (octets) => {
      const reader = new OctetReader(octets)
      const ids: Uint8Array[] = []
      while (reader.left > 0) ids.push(reader.counted())
      if (ids.length === 0 || ids.some((id) => id.length === 0)) return undefined
      const list = ids.map((id) => asBuffer(id).toString('latin1').replace(/[,\\]/g, '\\$&')).join(',')
      return quoteOctets(Buffer.from(list, 'latin1'))
    },
  },
  'no-default-alpn': flag(),
  port: {
    wants: 'a number from 0 to 65535',
    parse: (value) =>
      /^\d{1,5}$/.test(value) && Number(value) <= 0xffff ? encodeInteger(Number(value), 2) : undefined,
    print: (octets) => (octets.length === 2 ? String(asBuffer(octets).readUInt16BE()) : undefined),
  },
  ipv4hint: hint('IPv4 addresses', 4, parseIpv4, printIpv4),
  ech: {
    wants: 'an ECHConfigList in Base64',
    parse: parseBase64,
    print: (octets) => (octets.length > 0 ? asBuffer(octets).toString('base64') : undefined),
  },
  ipv6hint: hint('IPv6 addresses', 16, parseIpv6, printIpv6),
  dohpath: {
    wants: 'a relative URI template with the variable dns, such as /dns-query{?dns} (RFC 9461 §5)',
    parse: (value) => (isDohPath(value) ? Buffer.from(value, 'latin1') : undefined),
    print: (octets) => (isDohPath(asBuffer(octets).toString('latin1')) ? quoteOctets(octets) : undefined),
  },
  ohttp: flag(),
}

/** What a key holds that has no name here. */
const OPAQUE: SvcParam = {
  wants: 'a text',
  parse: (value) => Buffer.from(value, 'latin1'),
  print: (octets) => (octets.length > 0 ? quoteOctets(octets) : ''),
}

/** The SvcParams of SVCB and HTTPS: pairs of key and value, ascending by key, each key once (RFC 9460 §2.1, §2.2). */
export const svcParams: FieldCodec = {
  wants: 'pairs such as alpn=h2 port=8443',
  many: true,
  parse: (tokens) => {
    const params = new Map<number, Uint8Array>()
    for (const token of tokens) {
      const param = parseParam(token)
      if (typeof param === 'string') return param
      if (params.has(param.key)) return `${keyName(param.key)} twice`
      params.set(param.key, param.value)
    }
    const fault = checkTogether(params)
    if (fault !== undefined) return fault
    const sorted = [...params].sort(([a], [b]) => a - b)
    return Buffer.concat(
      sorted.flatMap(([key, value]) => [encodeInteger(key, 2), encodeInteger(value.length, 2), value]),
    )
  },
  print: (reader) => {
    const params = new Map<number, Uint8Array>()
    let last = -1
    while (reader.left > 0) {
      const key = reader.u16()
      if (key <= last || key === NO_KEY) throw new Fault(`SvcParamKey ${key} is reserved or out of order`)
      params.set((last = key), reader.take(reader.u16()))
    }
    const fault = checkTogether(params)
    if (fault !== undefined) throw new Fault(`The SvcParams are ${fault}`)
    return [...params].map(([key, value]) => printParam(key, value)).join(' ')
  },
}

function parseParam(token: Token): { key: number; value: Uint8Array } | string {
  const [, keyText = '', valueText = ''] = /^([^=]*)=?([\s\S]*)$/.exec(token.text) ?? []
  const key = keyNumber(keyText)
  if (key === undefined) return `the unknown key ${showText(keyText)}`
  const unquoted = /^"[\s\S]*"$/.test(valueText) ? valueText.slice(1, -1) : valueText
  const octets = unescapeText(unquoted)
  if (typeof octets === 'string') return octets
  // keyNNNNN holds the octets of the wire form, also when the key has a name.
  const param = /^key\d/i.test(keyText) ? OPAQUE : paramOf(key)
  const encoded = param.parse(asBuffer(octets).toString('latin1'))
  if (encoded === undefined || unlessFault(() => paramOf(key).print(encoded)) === undefined) {
    return `${showText(token.text)}, but ${keyName(key)} is ${paramOf(key).wants}`
  }
  return encoded.length > 0xffff ? `${encoded.length} octets in ${keyText}` : { key, value: encoded }
}

function printParam(key: number, value: Uint8Array): string {
  const printed = paramOf(key).print(value)
  if (printed === undefined) throw new Fault(`The value of ${keyName(key)} is not ${paramOf(key).wants}`)
  return printed === '' ? keyName(key) : `${keyName(key)}=${printed}`
}

/** RFC 9460 §8 and §7.1.1: what one key asks of the others. */
function checkTogether(params: ReadonlyMap<number, Uint8Array>): string | undefined {
  const missing = readKeys(params.get(MANDATORY) ?? new Uint8Array()).find((key) => !params.has(key))
  if (missing !== undefined) return `without ${keyName(missing)}, which is mandatory (RFC 9460 §8)`
  if (params.has(NO_DEFAULT_ALPN) && !params.has(ALPN))
    return 'no-default-alpn without alpn (RFC 9460 §7.1.1)'
  return undefined
}

function flag(): SvcParam {
  return {
    wants: 'a key without a value',
    parse: (value) => (value === '' ? new Uint8Array() : undefined),
    print: (octets) => (octets.length === 0 ? '' : undefined),
  }
}

function hint(
  kind: string,
  size: number,
  parse: (text: string) => Uint8Array | undefined,
  print: (octets: Uint8Array) => string,
): SvcParam {
  return {
    wants: `a list of ${kind}`,
    parse: (value) => {
      const addresses = value.split(',').map(parse)
      return addresses.every((address) => address !== undefined) ? Buffer.concat(addresses) : undefined
    },
    print: (octets) => {
      if (octets.length === 0 || octets.length % size !== 0) return undefined
      const count = octets.length / size
      return Array.from({ length: count }, (_, i) => print(octets.subarray(i * size, i * size + size))).join(
        ',',
      )
    },
  }
}

/** A list whose items may hold `\,` and `\\` (RFC 9460 appendix A.1). */
function splitList(value: string): string[] {
  const items = ['']
  for (let i = 0; i < value.length; i++) {
    if (value[i] === ',') items.push('')
    else items.push(items.pop() + (value[i] === '\\' ? (value[++i] ?? '') : value[i]!))
  }
  return items
}

function isDohPath(value: string): boolean {
  return value.startsWith('/') && /\{[^}]*\bdns\b[^}]*\}/.test(value)
}

function readKeys(octets: Uint8Array): number[] {
  const reader = new OctetReader(octets)
  const keys: number[] = []
  while (reader.left > 0) keys.push(reader.u16())
  return keys
}

function paramOf(key: number): SvcParam {
  return PARAMS[KEYS[key] ?? ''] ?? OPAQUE
}

function keyName(key: number): string {
  return KEYS[key] ?? `key${key}`
}

function keyNumber(text: string): number | undefined {
  const lower = text.toLowerCase()
  const known = KEYS.indexOf(lower)
  if (known !== -1) return known
  const digits = /^key(0|[1-9]\d{0,4})$/.exec(lower)?.[1]
  return digits !== undefined && Number(digits) < NO_KEY ? Number(digits) : undefined
}
