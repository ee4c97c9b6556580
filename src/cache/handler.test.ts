import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '#core/log.ts'
import type { Handler } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { ask, octetsOf } from '../../test/exchange.ts'
import { createCounts } from './counts.ts'
import { createCache } from './handler.ts'
import { planCache } from './plan.ts'
import { openStore } from './store/open-store.ts'
import { createStoreMemory } from './store/shared.ts'
import type { CacheStore } from './store/store.ts'
import { Verdicts } from './verdicts.ts'

const BODY = Buffer.from('the same for everyone')

test('a fetch of another worker that ends between looking and leading is the only one', async () => {
  const memory = createStoreMemory({ budgetOctets: 2 ** 23, memoryObjectOctets: 2 ** 21 })
  let asked = 0
  const origin: Handler = (exchange) => {
    asked++
    const fields = fieldsOf([['Cache-Control', 'max-age=60']])
    exchange.respond({ status: 200, fields, lengthOctets: BODY.length }, BODY)
  }
  const cacheOf = (store: CacheStore): Handler => {
    const options = { store, now: Date.now, log: silent, counts: createCounts(), verdicts: new Verdicts() }
    return createCache(planCache(true)!, options, origin)
  }
  const ours = openStore(memory, { worker: 0 })
  const other = cacheOf(openStore(memory, { worker: 1 }))
  const lead = ours.lead.bind(ours)
  ours.lead = (key) => {
    if (asked === 0) void ask(other, { target: '/' })
    return lead(key)
  }
  const answer = await ask(cacheOf(ours), { target: '/' })
  assert.equal((await octetsOf(answer)).toString(), BODY.toString())
  assert.equal(asked, 1)
  assert.ok(ours.lead(`https://example.com/`), 'nobody leads any more')
})
