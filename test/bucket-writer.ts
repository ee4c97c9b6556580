/** Writes objects into a bucket until it is killed. */
import { randomBytes } from 'node:crypto'
import { Bucket } from '#bucket/bucket.ts'
import { planBucket } from '#bucket/plan.ts'
import { createCatalogs } from '#bucket/store/catalogs.ts'
import { judgeObject, receiveDraft } from '#bucket/store/store.ts'
import { silent } from '#core/log.ts'

const root = process.argv[2]!
const plan = { ...planBucket(root, false), sync: false }
const { apply } = createCatalogs(Date.now)
const bucket = new Bucket({ plan, root, keys: new Map(), apply, worker: 0, log: silent, now: Date.now })
const about = { name: null, fields: null, headers: [] }

async function put(key: string): Promise<void> {
  const pieces = [randomBytes(300_000), randomBytes(400_000)]
  const finished = await receiveDraft(bucket, { read: () => pieces.pop() ?? null })
  const object = await judgeObject(bucket, { key, finished, declared: 'a/b', about, taken: 'replace' })
  await bucket.change({ kind: 'put', objects: [object], conditions: [] })
}

for (let i = 0; ; i++) {
  await Promise.all([put(`a${i % 3}`), put(`b${i % 5}`)])
  await bucket.change({ kind: 'delete', key: `b${(i + 2) % 5}`, version: null, conditions: [] })
  if (i === 0) process.send!('begun')
}
