import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { encodeMessage } from './message.ts'
import { parseName } from './name.ts'
import { appendError, checkRequest, splitTsig, TSIG_ERROR, TsigChain, type TsigKey } from './tsig.ts'
import { CLASS, TYPE } from './types.ts'

const NOW = 1_700_000_000
const key: TsigKey = { name: 'k.example.', algorithm: 'hmac-sha256', secret: Buffer.from('secret') }
const keys = new Map([[key.name, key]])
const message = encodeMessage({
  id: 4711,
  opcode: 0,
  rcode: 0,
  ...{ qr: false, aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
  question: [{ name: parseName('example.com.') as Uint8Array, type: TYPE.SOA, class: CLASS.IN }],
  answer: [],
  authority: [],
  additional: [],
})

function check(octets: Uint8Array, now = NOW) {
  const split = splitTsig(octets)
  assert.ok(split !== null && typeof split !== 'string')
  const verdict = checkRequest(split, keys, now)
  assert.ok(typeof verdict !== 'string', String(verdict))
  return verdict
}

for (const algorithm of ['hmac-sha256', 'hmac-sha384', 'hmac-sha512'] as const) {
  test(`a request signed by ${algorithm} is believed, and its answer too (RFC 8945 §4.2, §4.3.3, §5.2, §5.3, §5.4, §6)`, () => {
    const other = { ...key, algorithm }
    const client = new TsigChain(other)
    const signed = client.request(message, NOW)
    const split = splitTsig(signed)
    assert.ok(split !== null && typeof split !== 'string')
    assert.deepEqual(split.bare, message)
    const verdict = checkRequest(split, new Map([[other.name, other]]), NOW)
    assert.ok(typeof verdict !== 'string' && verdict.ok)
    for (let i = 0; i < 3; i++) assert.deepEqual(client.check(verdict.chain.sign(message, NOW), NOW), message)
    assert.ok(client.isClosed)
  })
}

test('keys that are not ours, changed octets and other times are told apart (RFC 8945 §5.2.1, §5.2.2, §5.2.3)', () => {
  const stranger = new TsigChain({ ...key, name: 'other.example.' }).sign(message, NOW)
  const forged = new TsigChain({ ...key, secret: Buffer.from('guess') }).sign(message, NOW)
  const late = new TsigChain(key).sign(message, NOW - 301)
  for (const [octets, error] of [
    [stranger, TSIG_ERROR.BADKEY],
    [forged, TSIG_ERROR.BADSIG],
    [late, TSIG_ERROR.BADTIME],
  ] as const) {
    const verdict = check(octets)
    assert.ok(!verdict.ok)
    assert.equal(verdict.error, error)
  }
})

test('an answer to a wrong time is signed and says our time (RFC 8945 §5.2.3)', () => {
  const verdict = check(new TsigChain(key).sign(message, NOW - 301))
  assert.ok(!verdict.ok && verdict.chain !== null)
  const split = splitTsig(verdict.chain.sign(message, NOW, { error: verdict.error, timeSeconds: NOW - 301 }))
  assert.ok(split !== null && typeof split !== 'string')
  assert.equal(split.tsig.error, TSIG_ERROR.BADTIME)
  assert.equal(Buffer.from(split.tsig.other).readUIntBE(0, 6), NOW)
  assert.equal(split.tsig.mac.length, 32)
})

/** Write a MAC of another length into a message that was signed by hmac-sha256. */
function truncated(signed: Buffer, octets: number): Buffer {
  const split = splitTsig(signed)
  assert.ok(split !== null && typeof split !== 'string')
  const at = signed.indexOf(Buffer.from(split.tsig.mac))
  const cut = Buffer.concat([signed.subarray(0, at + octets), signed.subarray(at + 32)])
  cut.writeUInt16BE(octets, at - 2)
  const rdataAt = at - 2 - 8 - 13 - 2
  cut.writeUInt16BE(cut.readUInt16BE(rdataAt) - 32 + octets, rdataAt)
  return cut
}

test('a truncated MAC counts down to half of the hash, and not below (RFC 8945 §5.2.2.1)', () => {
  const signed = new TsigChain(key).sign(message, NOW)
  assert.ok(check(truncated(signed, 16)).ok)
  const short = splitTsig(truncated(signed, 15))
  assert.ok(short !== null && typeof short !== 'string')
  assert.equal(checkRequest(short, keys, NOW), 'a MAC of 15 octets')
})

test('messages without TSIG may stand between signed ones, 99 at most, never at the end (RFC 8945 §5.3.1)', () => {
  const client = new TsigChain(key)
  const verdict = check(client.request(message, NOW))
  assert.ok(verdict.ok)
  assert.deepEqual(client.check(verdict.chain.sign(message, NOW), NOW), message)
  assert.deepEqual(client.check(message, NOW), message)
  assert.ok(!client.isClosed)
  for (let i = 1; i < 99; i++) assert.deepEqual(client.check(message, NOW), message)
  assert.match(String(client.check(message, NOW)), /not signed/)
})

test('a refusal has a TSIG without a MAC, and a client does not take it for an answer (RFC 8945 §5.2.1)', () => {
  const client = new TsigChain(key)
  const verdict = check(client.request(message, NOW))
  const split = splitTsig(client.request(message, NOW))
  assert.ok(verdict.ok && split !== null && typeof split !== 'string')
  assert.match(String(client.check(appendError(message, split.tsig, TSIG_ERROR.BADKEY), NOW)), /BADKEY/)
})

test('a TSIG that is not the last record is a fault (RFC 8945 §5.1)', () => {
  const twice = new TsigChain(key).sign(new TsigChain(key).sign(message, NOW), NOW)
  assert.match(String(splitTsig(twice)), /last record/)
})

test('any octets are a message, a fault or no TSIG, never an exception', () => {
  const signed = new TsigChain(key).sign(message, NOW)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(signed.length - 1), (noise, at) => {
      const octets = Buffer.from(signed)
      octets.set(noise.subarray(0, octets.length - at), at)
      for (const hostile of [noise, octets, octets.subarray(0, at)]) {
        const split = splitTsig(hostile)
        if (split !== null && typeof split !== 'string') checkRequest(split, keys, NOW)
      }
    }),
    { numRuns: 500 },
  )
})
