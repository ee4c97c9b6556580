import { after, before, describe, test } from 'node:test'
import { cacheCases } from './cache-cases.ts'
import { type CacheRunner, startCache } from './cache-runner.ts'

let cache: CacheRunner
before(async () => {
  cache = await startCache(true)
})
after(() => cache.close())

describe('the cache', () => {
  for (const { title, section, steps } of cacheCases) test(`${title} (${section})`, () => cache.run(steps))
})
