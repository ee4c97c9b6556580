import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileZones } from '#dns/zone.ts'
import { checkText, fileText } from '../../../test/planted/planted.ts'
import { explain } from './explain.ts'
import { parseQuestion } from './question.ts'

const domain =
  '"transfer": { "to": ["192.0.2.0/24"], "key": "k" }, "records": { "@": { "NS": ["ns1", "ns2.example.net"] }, "ns1": { "A": "203.0.113.10" } }'
const { plan, problems } = checkText(
  fileText({ top: '"keys": { "k": { "secret": { "env": "K" } } },', domain }),
)

function steps(question: string, from: string | null): string[] {
  const asked = parseQuestion([question])
  assert.ok(typeof asked !== 'string')
  const world = { plan: plan!, zones: compileZones(plan!.dns.zones, new Map()), live: null }
  return explain(asked, world, from).steps.map(
    ({ says, reason, isFault }) => `${says} (${reason})${isFault ? '!' : ''}`,
  )
}

test('explain() says who may copy a zone, and why not', () => {
  assert.deepEqual(problems, [])
  const signed = 'signed with the key "k"'
  assert.deepEqual(steps('example.com AXFR', null), [`copied to 192.0.2.0/24, ${signed} (transfer)`])
  assert.deepEqual(steps('example.com IXFR', '192.0.2.7'), [`copied to 192.0.2.7, ${signed} (allowed)`])
  assert.deepEqual(steps('example.com AXFR', '192.0.3.7'), [
    'not copied to 192.0.3.7 (refused: address not in "to")!',
  ])
  assert.deepEqual(steps('example.net AXFR', null), ['not copied to anyone (refused: not copied to anyone)!'])
})
