/** Portico's part of the upload bench: PORT FOLDER. */

import { planBucket } from '#bucket/plan.ts'
import { createBucket } from '#bucket/serve.ts'
import { createCatalogs } from '#bucket/store/catalogs.ts'
import { silent } from '#core/log.ts'
import { serveBench } from './portico.ts'

const [port = '', folder = ''] = process.argv.slice(2)
const plan = planBucket({ root: './bucket', write: 'anyone', sync: false }, false)
const { apply } = createCatalogs(Date.now)
await serveBench(
  createBucket(plan, { folder, apply, worker: 0, log: silent, now: Date.now }),
  Number(port),
  [],
)
