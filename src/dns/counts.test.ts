import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QueryCounts } from './counts.ts'

const header = (rcode: number, questions: number) => `0001800${rcode}000${questions}000000000000`

test('answers are counted by transport, type and rcode (RFC 1035 §4.1.1)', () => {
  const counts = new QueryCounts()
  const say = (transport: 'udp' | 'tcp', hex: string) => counts.count(transport, Buffer.from(hex, 'hex'))
  // www. A, NXDOMAIN; www. AAAA; www. TYPE65280; no question, FORMERR
  say('udp', `${header(3, 1)}03777777000001 0001`.replace(' ', ''))
  say('tcp', `${header(0, 1)}0377777700001c0001`)
  say('tcp', `${header(0, 1)}0377777700ff000001`)
  say('udp', header(1, 0))
  assert.deepEqual(
    counts.list().map(({ transport, by, name, count }) => `${transport} ${by} ${name} ${count}`),
    [
      'udp type other 1',
      'udp type A 1',
      'udp rcode FORMERR 1',
      'udp rcode NXDOMAIN 1',
      'tcp type other 1',
      'tcp type AAAA 1',
      'tcp rcode NOERROR 2',
    ],
  )
})
