import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lookup } from '#dns/lookup.ts'
import { lowerName, parseName } from '#dns/wire/name.ts'
import { TYPE } from '#dns/wire/types.ts'
import { compileZones, type Zones } from '#dns/zone.ts'
import { checkText } from '../../../test/planted/planted.ts'

/** Both zones are ours; `parent` is written into the records of the one above. */
function zonesOf(parent: string): Zones {
  const { plan, problems } = checkText(`{ "address": "203.0.113.10", "domains": {
    "example.com": { "records": { ${parent} } }, "dev.example.com": {} } }`)
  assert.deepEqual(problems, [])
  return compileZones(plan!.dns.zones, new Map())
}

const recordsOf = (zones: Zones): string[] =>
  zones.list[0]!.plan.rrsets.map(({ owner, type, data }) => `${owner} ${type} ${data}`)

test('delegateChildren() lets a zone delegate those of ours below it, with glue (RFC 1034 §4.2.1, RFC 9471 §3.1)', () => {
  const zones = zonesOf('')
  assert.deepEqual(recordsOf(zones), [
    'dev.example.com. NS ns1.dev.example.com.',
    'example.com. NS ns1.example.com.',
    'ns1.dev.example.com. A 203.0.113.10',
    'ns1.example.com. A 203.0.113.10',
  ])
  const name = lowerName(parseName('dev.example.com.') as Uint8Array)
  assert.equal(lookup(zones, name, TYPE.DS).reason, 'nodata')
  assert.equal(lookup(zones, name, TYPE.NS).zone, zones.list[1])
})

test('delegateChildren() keeps a delegation that was written', () => {
  const zones = zonesOf('"dev": { "NS": "ns.example.net" }')
  assert.deepEqual(
    recordsOf(zones).filter((record) => record.includes('dev')),
    ['dev.example.com. NS ns.example.net.'],
  )
})
