import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { joinTransfers, summarize, type Transfer } from '#http/transfer.ts'
import { transferLines, viewTransfers } from './transfers-view.ts'

function transfer(id: string, sentOctets: number, more: Partial<Transfer> = {}): Transfer {
  const who = {
    id,
    client: `203.0.113.${id}`,
    method: 'GET',
    url: `a.example/${id}`,
    version: '1.1',
    status: 200,
  }
  const what = { routeId: 'route:a.example/**', answeredBy: 'files', lengthOctets: 10_000_000 }
  return { ...who, ...what, sentOctets, aheadOctets: 131_072, pausedMs: 0, ageMs: 4000, ...more }
}

const before = summarize([transfer('1', 1_000_000), transfer('2', 500_000)])
const now = joinTransfers([
  summarize([transfer('1', 5_000_000)]),
  summarize([
    transfer('2', 500_000, { pausedMs: 2500, ageMs: 9000 }),
    transfer('3', 2_000_000, { ageMs: 500, method: 'POST', lengthOctets: null }),
  ]),
])

test('the rate is what went between two looks, or since it began', () => {
  const { list, sentPerSecond, count, paused, aheadOctets } = viewTransfers(before, now, 2)
  assert.deepEqual(
    list.map((one) => [one.id, one.sentPerSecond]),
    [
      ['3', 4_000_000],
      ['1', 2_000_000],
      ['2', 0],
    ],
  )
  assert.deepEqual([sentPerSecond, count, paused, aheadOctets], [6_000_000, 3, 1, 393_216])
})

test('the view says who has paused, and fits the terminal', () => {
  const lines = transferLines(viewTransfers(before, now, 2), { columns: 120, rows: 24 }).map(
    stripVTControlCharacters,
  )
  assert.equal(lines[0], '3 under way, 1 paused, 6.0 MB/s, 393 kB read ahead')
  assert.match(lines[5]!, /^203\.0\.113\.2 +0 B\/s +500 kB +10 MB .*paused 2\.5 s +a\.example\/2$/)
  assert.match(lines[3]!, /\? .*flows +POST a\.example\/3$/)
  for (const rows of [6, 7, 24]) {
    const shown = transferLines(viewTransfers(before, now, 2), { columns: 60, rows })
    assert.ok(shown.length < rows, `${shown.length} lines of ${rows}`)
  }
})
