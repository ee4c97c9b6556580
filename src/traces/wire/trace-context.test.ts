import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTraceparent, parseTracestate, printTraceparent } from './trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

const parents: [string, string[], boolean][] = [
  ['sampled', [`00-${TRACE}-${PARENT}-01`], true],
  ['random and sampled (level 2)', [`00-${TRACE}-${PARENT}-03`], true],
  ['flags that mean nothing yet', [`00-${TRACE}-${PARENT}-ff`], true],
  ['a later version', [`01-${TRACE}-${PARENT}-01`], true],
  ['a later version with more behind it', [`cc-${TRACE}-${PARENT}-01-what-the-future-holds`], true],
  ['a later version with more that has no dash', [`cc-${TRACE}-${PARENT}-01.what`], false],
  ['version 00 with more behind it', [`00-${TRACE}-${PARENT}-01-`], false],
  ['version ff', [`ff-${TRACE}-${PARENT}-01`], false],
  ['upper case', [`00-${TRACE.toUpperCase()}-${PARENT}-01`], false],
  ['a trace id of zeros', [`00-${'0'.repeat(32)}-${PARENT}-01`], false],
  ['a parent id of zeros', [`00-${TRACE}-${'0'.repeat(16)}-01`], false],
  ['too short', [`00-${TRACE.slice(1)}-${PARENT}-01`], false],
  ['other letters', [`00-${TRACE.replace('a', 'g')}-${PARENT}-01`], false],
  ['a newline behind it', [`00-${TRACE}-${PARENT}-01\n`], false],
  ['two lines', [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`], false],
  ['none', [], false],
]

for (const [what, values, isRead] of parents) {
  test(`traceparent: ${what} ${isRead ? 'is believed' : 'begins a new trace'}`, () => {
    const parent = parseTraceparent(values)
    assert.equal(parent !== undefined, isRead)
    if (parent !== undefined) assert.deepEqual([parent.traceId, parent.parentId], [TRACE, PARENT])
  })
}

test('traceparent: what is read is written as version 00, with the flags that are known', () => {
  const printed = printTraceparent(parseTraceparent([`cc-${TRACE}-${PARENT}-ff`])!)
  assert.equal(printed, `00-${TRACE}-${PARENT}-03`)
})

test('traceparent: whatever comes is read to ids that may be written, or not at all', () => {
  const parts = fc.constantFrom('00', '01', 'ff', '-', TRACE, PARENT, '0', 'a', 'A', ' ', '\n')
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (texts) => {
      const parent = parseTraceparent([texts.join('')])
      return parent === undefined || /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-3]$/.test(printTraceparent(parent))
    }),
  )
})

const states: [string, string[], string][] = [
  ['members of two lines', ['a=1', 'b=2'], 'a=1,b=2'],
  ['blanks and empty members', [' a=1 \t,, b=2 ,'], 'a=1,b=2'],
  ['a tenant', ['fw529a3039@dt=FfffffYw'], 'fw529a3039@dt=FfffffYw'],
  ['a value with blanks inside', ['a=1 2'], 'a=1 2'],
  ['an equals sign in a value', ['a=1=2'], ''],
  ['upper case in a key', ['A=1'], ''],
  ['a member without value', ['a=1,b'], ''],
  ['a key that stands twice', ['a=1,a=2'], ''],
  ['32 members', [Array.from({ length: 32 }, (_, i) => `k${i}=1`).join(',')], 'all'],
  ['33 members', [Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(',')], ''],
  ['none', [], ''],
]

for (const [what, values, wanted] of states) {
  test(`tracestate: ${what} → ${wanted === '' ? 'nothing' : wanted}`, () => {
    assert.equal(parseTracestate(values), wanted === 'all' ? values.join() : wanted)
  })
}
