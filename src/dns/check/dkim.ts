import type { Problem } from '#core/problem.ts'
import { labelsOf } from '#dns/records/names.ts'
import type { RecordDraft } from '#dns/records/read-records.ts'
import { parseBase64 } from '../wire/encoding.ts'
import { type OwnerNode, problem, say, textsOf, warning } from './finding.ts'
import { rsaBits } from './rsa-key.ts'
import { readTags, type Tags } from './tags.ts'

/** Octets of an Ed25519 key (RFC 8463 §4). */
const ED25519_OCTETS = 32
const RSA_LEAST_BITS = 1024
const RSA_BITS = 2048
const GENERATE = 'a key made by "openssl genrsa 2048", at another selector'

/** Keys of signed mail, as verifiers read them (RFC 6376 §3.6.1). */
export function checkDkim({ owner, apex, types }: OwnerNode): Problem[] {
  const isPlace = labelsOf(owner).indexOf('_domainkey') > 0
  const all = textsOf(types)
  if (!isPlace) {
    const stray = all.find(({ text }) => /^\s*v\s*=\s*DKIM1\b/.test(text))
    if (stray === undefined) return []
    const selector = owner === apex ? 'selector' : owner.slice(0, -apex.length - 1)
    const message = `"${say(owner)}" has a key of DKIM; verifiers look for it at a selector below "_domainkey" (RFC 6376 §3.6.2.1).`
    return [problem('dns/dkim-key', stray.draft.from, message, `"${selector}._domainkey": { "TXT": … }`)]
  }
  const [first, second] = all
  if (first !== undefined && second !== undefined) {
    const message = `"${say(owner)}" has ${all.length} TXT records; what verifiers make of several keys at one selector is not defined (RFC 6376 §3.6.2.2).`
    return [problem('dns/dkim-key', second.draft.from, message, 'a selector for each key')]
  }
  return all.flatMap(({ draft, text }) => {
    const tags = readTags(text)
    const fault = faultOf(tags)
    if (fault === undefined) return checkLength(draft, tags)
    const message = `The key of DKIM at "${say(owner)}" ${fault[0]}, so no signature with it holds (RFC 6376 §3.6.1).`
    return [problem('dns/dkim-key', draft.from, message, fault[1])]
  })
}

function faultOf({ values, names, faults }: Tags): readonly [fault: string, fix: string] | undefined {
  const form = '"v=DKIM1; k=rsa; p=…"'
  if (faults[0] !== undefined) return [`is broken: ${faults[0]}`, form]
  const version = values.get('v')
  if (version !== undefined && version !== 'DKIM1') return [`has the version "${version}"`, '"v=DKIM1; …"']
  if (version !== undefined && names[0] !== 'v') return ['has its version behind other tags', '"v=DKIM1; …"']
  const key = values.get('p')?.replace(/\s+/g, '')
  if (key === undefined) return ['lacks the key itself, "p"', form]
  const kind = values.get('k') ?? 'rsa'
  if (kind !== 'rsa' && kind !== 'ed25519')
    return [`has the unknown kind "${kind}"`, '"k=rsa" or "k=ed25519"']
  const hashes = values
    .get('h')
    ?.split(':')
    .map((hash) => hash.trim())
  // RFC 8301 §3.1: nobody signs or verifies with SHA-1 any more.
  if (hashes !== undefined && !hashes.includes('sha256'))
    return ['allows no hash that is still in use', '"h=sha256", or no "h"']
  // An empty key is one that was revoked.
  if (key === '') return undefined
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(key))
    return ['is no Base64', 'the one line between BEGIN and END of the key file, as "p=…"']
  const octets = parseBase64(key)
  if (kind === 'ed25519' && octets?.length !== ED25519_OCTETS)
    return [
      `is no Ed25519 key, which has ${ED25519_OCTETS} octets`,
      '"k=rsa", or the bare key of 32 octets in Base64',
    ]
  if (kind === 'rsa' && octets !== undefined) {
    const bits = rsaBits(octets)
    if (bits === undefined) return ['is no key of RSA', form]
    if (bits < RSA_LEAST_BITS)
      return [`has ${bits} bits, and verifiers take none below ${RSA_LEAST_BITS} (RFC 8301 §3.2)`, GENERATE]
  }
  return undefined
}

/** A key that verifiers still take, and that signers should not use. */
function checkLength(draft: RecordDraft, { values }: Tags): Problem[] {
  const key = values.get('p')?.replace(/\s+/g, '') ?? ''
  const bits = (values.get('k') ?? 'rsa') === 'rsa' ? rsaBits(parseBase64(key) ?? Buffer.alloc(0)) : undefined
  if (bits === undefined || bits >= RSA_BITS) return []
  const message = `The key of DKIM at "${say(draft.owner)}" has ${bits} bits; ${RSA_BITS} are wanted, because shorter ones are broken first (RFC 8301 §3.2).`
  return [warning('dns/dkim-short-key', draft.from, message, GENERATE)]
}
