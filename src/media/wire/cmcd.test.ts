import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fieldsOf, noFields } from '#http/wire/fields.ts'
import { cmsdStatic, parseCmcd, readCmcd, readReports } from './cmcd.ts'

test('version 1 in the query is read as players write it (CTA-5004 §3)', () => {
  const said =
    'bl=21300,br=3200,bs,cid="faec5fc2",d=4004,dl=18500,mtp=48100,nor="..%2F300kbps%2Ftrack.m4v",nrr="12323-48763",ot=v,pr=1.08,sf=d,sid="6e2fb550",st=v,su,tb=6000'
  const cmcd = readCmcd(`a=b&CMCD=${encodeURIComponent(said)}`, noFields)!
  assert.deepEqual(cmcd, {
    ...{ session: '6e2fb550', content: 'faec5fc2', objectType: 'v', format: 'd', state: null },
    ...{ bitrateKbps: 3200, bufferMs: 21300, throughputKbps: 48100, deadlineMs: 18500, rate: 1.08 },
    ...{ isStarved: true, isStartup: true, startDelayMs: null },
    ...{ next: '../300kbps/track.m4v', nextRange: '12323-48763' },
  })
})

test('four fields are one dictionary', () => {
  const fields = fieldsOf([
    ['CMCD-Request', 'bl=1200,nor="b.m4s"'],
    ['CMCD-Object', 'br=800,ot=a'],
    ['CMCD-Status', 'bs'],
    ['CMCD-Session', 'sid="one"'],
  ])
  const { session, bufferMs, bitrateKbps, isStarved, isStartup, next } = readCmcd('', fields)!
  assert.deepEqual(
    [session, bufferMs, bitrateKbps, isStarved, isStartup, next],
    ['one', 1200, 800, true, false, 'b.m4s'],
  )
})

test('version 2 has lists where version 1 has one value, and says more', () => {
  const cmcd = parseCmcd(
    'v=2,br=(5000;v 128;a),bl=(900),nor=("a%20b.m4s";r="0-9" "c.m4s"),sta=p,msd=321,sid="x"',
  )!
  assert.deepEqual(
    [cmcd.bitrateKbps, cmcd.bufferMs, cmcd.next, cmcd.state, cmcd.startDelayMs],
    [5000, 900, 'a b.m4s', 'p', 321],
  )
})

const nothing = ['', 'x', 'CMCD=', 'CMCD=%22', `CMCD=${'a'.repeat(9000)}`, 'CMCD=sid%3D%22%FF%22']
for (const query of nothing) {
  test(`?${query.slice(0, 20)} says nothing that counts`, () => {
    const cmcd = readCmcd(query, noFields)
    assert.equal(cmcd?.session ?? null, null)
  })
}

const reports: [text: string, sessions: (string | null)[]][] = [
  ['sid="a",e=ps,sta=p\nsid="b",e=t,ts=1\n', ['a', 'b']],
  ['{"sid": "c", "bl": 100, "bs": true}', ['c']],
  ['[{"sid": "d"}, 7, null, {"sid": 8}]', ['d', null]],
  ['{"sid"', []],
  ['', []],
]
for (const [text, sessions] of reports) {
  test(`${JSON.stringify(text)} reports ${sessions.length} times`, () => {
    const said = readReports(text)
    assert.deepEqual(
      said.slice(0, sessions.length).map(({ session }) => session),
      sessions,
    )
  })
}

test('whatever is sent, it is read or not, and long texts are cut', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const cmcd = parseCmcd(text)
      assert.ok(cmcd === null || (cmcd.session ?? '').length <= 128)
    }),
  )
  assert.equal(parseCmcd(`sid="${'s'.repeat(500)}"`)!.session!.length, 128)
})

test('cmsdStatic() says kind, bit rate and duration (CTA-5006)', () => {
  assert.equal(
    cmsdStatic({ objectType: 'v', durationMs: 6000.4, bitrateKbps: 1200.6 }),
    'ot=v,br=1201,d=6000,st=v',
  )
})
