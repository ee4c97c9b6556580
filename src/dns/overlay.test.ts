import assert from 'node:assert/strict'
import test from 'node:test'
import { checkText, fileText } from '../../test/planted/planted.ts'
import { lookup } from './lookup.ts'
import { overlayZones } from './overlay.ts'
import { lowerName, parseName } from './wire/name.ts'
import { TYPE } from './wire/types.ts'
import { compileZones } from './zone.ts'

const text = fileText({
  hosts: '"@": { "respond": "x" }, "*": { "respond": "y" }',
  records: '"_acme-challenge": { "TXT": "written" }',
})
const zones = checkText(text).plan!.dns.zones
const records = [
  { owner: '_acme-challenge.example.com.', text: 'one' },
  { owner: '_acme-challenge.example.com.', text: 'two "2"' },
  { owner: '_acme-challenge.deep.er.example.com.', text: 'three' },
]
const over = compileZones(overlayZones(zones, records), new Map())

function ask(name: string, type: number): { reason: string; data: readonly string[] } {
  const { reason, answers } = lookup(over, lowerName(parseName(name) as Uint8Array), type)
  return { reason, data: answers.flatMap(({ plan }) => plan.data) }
}

test('two proofs stand beside what the file says, each a character-string (RFC 1035 §5.1)', () => {
  const { reason, data } = ask('_acme-challenge.example.com.', TYPE.TXT)
  assert.equal(reason, 'answer')
  assert.deepEqual(data, ['"written"', '"one"', '"two \\"2\\""'])
})

test('names around a proof exist, so that resolvers find it (RFC 4592 §2.2.2, RFC 8020 §2)', () => {
  assert.equal(ask('_acme-challenge.deep.er.example.com.', TYPE.TXT).reason, 'answer')
  assert.equal(ask('_acme-challenge.deep.er.example.com.', TYPE.A).reason, 'nodata')
  assert.equal(ask('deep.er.example.com.', TYPE.A).reason, 'nodata: empty non-terminal')
  assert.equal(ask('other.example.com.', TYPE.A).reason, 'answer: wildcard')
})

test('zones that are not concerned stay the same objects, and without proofs all do', () => {
  assert.equal(overlayZones(zones, []), zones)
  assert.equal(overlayZones(zones, [{ owner: 'a.elsewhere.net.', text: 'x' }])[0], zones[0])
})
