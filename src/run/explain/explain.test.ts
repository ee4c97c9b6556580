import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileZones } from '#dns/zone.ts'
import { checkText, fileText } from '../../../test/planted/planted.ts'
import { explain } from './explain.ts'
import { parseQuestion } from './question.ts'

/** What explain says of records, as `what (why)`. */
function recordSteps(records: string, question: string): string[] {
  const { plan, problems } = checkText(fileText({ hosts: '"@": { "respond": "" }', records }))
  assert.deepEqual(problems, [])
  const asked = parseQuestion([question])
  assert.ok(typeof asked !== 'string')
  const world = { plan: plan!, zones: compileZones(plan!.dns.zones, new Map()), live: null }
  const { steps } = explain(asked, world, null)
  return steps.filter(({ step }) => step === 'record').map(({ says, reason }) => `${says} (${reason})`)
}

const KID = '"kid": { "NS": "ns.example.net" }'
const REFERRAL = 'kid.example.com. is delegated to ns.example.net. (referral)'

test('explain() tells a delegation once, by its own name', () => {
  assert.deepEqual(recordSteps(KID, 'a.kid.example.com'), [REFERRAL])
  assert.deepEqual(recordSteps(`${KID}, "a": { "CNAME": "x.kid.example.com" }`, 'a.example.com'), [
    'a.example.com. 300 CNAME x.kid.example.com. (alias, written)',
    REFERRAL,
  ])
})

test('explain() says which name of a chain a wildcard answers (RFC 4592 §2.2.1)', () => {
  const wild = '"*.w": { "A": "192.0.2.1" }, "*.v": { "CNAME": "x.w.example.com" }'
  assert.deepEqual(recordSteps(wild, 'y.v.example.com A'), [
    'y.v.example.com (by *.v.example.com.) 300 CNAME x.w.example.com. (answer: wildcard, written)',
    'x.w.example.com. (by *.w.example.com.) 300 A 192.0.2.1 (answer: wildcard, written)',
  ])
})

test('explain() says that a wildcard certificate stands for one label (RFC 9525 §6.3)', () => {
  const { plan } = checkText(fileText({ hosts: '"*": { "respond": "" }' }))
  const world = { plan: plan!, zones: compileZones(plan!.dns.zones, new Map()), live: null }
  const asked = parseQuestion(['https://a.b.example.com/'])
  assert.ok(typeof asked !== 'string')
  const found = explain(asked, world, null).steps.find(({ step }) => step === 'certificate')
  assert.equal(found?.reason, '*.example.com stands for one label alone (RFC 9525 §6.3)')
})
