import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTtl } from './ttl.ts'

test('A TTL is seconds or numbers with units', () => {
  const cases: [text: string, seconds: number | undefined][] = [
    ['0', 0],
    ['3600', 3600],
    ['1h30m', 5400],
    ['1W2D3h4M5s', 788_645],
    ['30m1h', 5400],
    ['1h30', undefined],
    ['h', undefined],
    ['-1', undefined],
    ['1.5h', undefined],
    ['1y', undefined],
    ['12345678901', undefined],
    ['', undefined],
  ]
  for (const [text, seconds] of cases) assert.equal(parseTtl(text), seconds, text)
})
