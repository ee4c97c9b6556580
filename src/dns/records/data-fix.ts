import { parseRdata } from '#dns/wire/rdata.ts'
import { typeNumber } from '#dns/wire/types.ts'

/**
 * Say what to write in place of data that its type cannot hold.
 *
 * @param type mnemonic
 * @param written data as it stands in the file
 * @returns what was probably meant; an example of the type where nobody can tell
 * @example fixOfData('MX', 'mail.example.net') // '"MX": "10 mail.example.net"'
 */
export function fixOfData(type: string, written: string): string {
  const meant = likely(type, written.trim()).find(([other, data]) => isData(other, data))
  if (meant !== undefined) return `"${meant[0]}": ${JSON.stringify(meant[1])}`
  const example = EXAMPLES[type]
  return example === undefined ? 'the form that the message says' : `"${type}": "${example}"`
}

/** Data of a type as it may stand in the file, in quotes; undefined for rare types. */
export function exampleOfType(type: string): string | undefined {
  const example = EXAMPLES[type.toUpperCase()]
  return example === undefined ? undefined : `"${example}"`
}

type Data = readonly [type: string, data: string]

/** Habits of other places: brackets, ports and networks of URLs, whole lines of master files, words left out. */
function likely(type: string, written: string): readonly Data[] {
  if (type === 'MX') return /^\d+$/.test(written) ? [] : [['MX', `10 ${written}`]]
  if (type === 'CAA') return [['CAA', `0 issue "${written}"`]]
  if (type !== 'A' && type !== 'AAAA') return []
  const word = written.split(/\s+/).at(-1)!
  const bare = word.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '')
  const address = bare.startsWith('[') ? bare.replace(/^\[|\].*$/g, '') : bare
  const candidates = [address, address.replace(/:\d+$/, '')].flatMap((text): Data[] => [
    ['A', text],
    ['AAAA', text],
  ])
  return /^[\w-]+(\.[\w-]+)*\.[a-z]{2,}\.?$/i.test(bare) ? [['CNAME', bare]] : candidates
}

function isData(type: string, data: string): boolean {
  return typeof parseRdata(typeNumber(type)!, data) !== 'string'
}

/** Data as it may stand; the documentation's addresses and names (RFC 5737, RFC 2606). */
const EXAMPLES: Readonly<Record<string, string>> = {
  A: '203.0.113.7',
  AAAA: '2001:db8::7',
  CAA: '0 issue \\"letsencrypt.org\\"',
  CNAME: 'host.example.com',
  DS: '20326 8 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d',
  HTTPS: '1 . alpn=h2',
  MX: '10 mail.example.com',
  NS: 'ns1.example.com',
  PTR: 'host.example.com',
  SRV: '0 5 5269 host.example.com',
  SSHFP: '4 2 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d',
  TLSA: '3 1 1 e06d44b80b8f1d39a95c0b0d7c65d08458e880409bbc683457104237c7f8ec8d',
  TXT: 'v=spf1 -all',
}
