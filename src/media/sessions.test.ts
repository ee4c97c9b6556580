import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSessions, joinSessions } from './sessions.ts'
import { parseCmcd } from './wire/cmcd.ts'

const heard = (nowMs: number, client = '192.0.2.1') => ({ client, film: '/film.mp4', nowMs })
const said = (text: string) => parseCmcd(`sid="one",sf=h,${text}`)!

test('a session starts, plays and runs empty', () => {
  const sessions = createSessions()
  sessions.hear(said('su,ot=m'), heard(1000))
  sessions.hear(said('su,bs,ot=v,br=800'), heard(1100))
  sessions.hear(said('ot=v,br=2500,bl=4000,mtp=9000'), heard(1600))
  sessions.hear(said('ot=a,br=128,bl=3000,bs'), heard(9000))
  assert.deepEqual(sessions.list(9000), [
    {
      ...{ id: 'one', client: '192.0.2.1', film: '/film.mp4', format: 'HLS', firstMs: 1000, lastMs: 9000 },
      ...{
        requests: 4,
        startupMs: 600,
        rebuffers: 1,
        bitrateKbps: 2500,
        bufferMs: 3000,
        throughputKbps: 9000,
      },
      ...{ isStarving: true, rate: 1 },
    },
  ])
  assert.equal(sessions.counts.starved, 2)
})

test('a minute of silence ends a session, and there are never more than 1000', () => {
  const sessions = createSessions()
  for (let i = 0; i < 1500; i++) sessions.hear(parseCmcd(`sid="${i}"`)!, heard(i))
  assert.equal(sessions.list(1500).length, 1000)
  assert.equal(sessions.list(61_400).length, 99)
})

test('what several workers have heard is one session', () => {
  const [a, b] = [createSessions(), createSessions()]
  a.hear(said('su'), heard(0))
  a.hear(said('bl=100'), heard(500))
  b.hear(said('bl=900,br=700,ot=v'), heard(800))
  const [session, ...others] = joinSessions([a.list(900), b.list(900)])
  assert.equal(others.length, 0)
  assert.deepEqual(
    [session!.requests, session!.bufferMs, session!.startupMs, session!.bitrateKbps],
    [3, 900, 500, 700],
  )
})
