import assert from 'node:assert/strict'
import http from 'node:http'
import { after, before, describe, test } from 'node:test'
import { createCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import { planCache } from '#cache/plan.ts'
import { openStore } from '#cache/store/open-store.ts'
import { createStoreMemory } from '#cache/store/shared.ts'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Exchange } from '#http/exchange.ts'
import { createHttpServer } from '#http/server.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { type CacheCase, cacheCases, type Step } from './cache-cases.ts'
import { until } from './running.ts'

const COUNTED = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']
let nowMs = Date.UTC(2026, 0, 1)
/** what the origin answers now, and what it was asked in this case */
let step: Step
let asked: Record<string, string>[] = []
let answered = 0

const store = openStore(createStoreMemory({ budgetOctets: 16 * 2 ** 20 }), { worker: 0 })
const cache = createCache(
  planCache(true)!,
  { store, now: () => nowMs, log: silent, counts: createCounts() },
  origin,
)
const server = createHttpServer({ limits: httpLimits(), handler: cache, log: silent })
let port = 0

before(async () => {
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: false })
  listener.commit()
  port = listener.port
})

after(async () => {
  await server.close(0)
  await store.close()
})

function origin(exchange: Exchange): void {
  const { request } = exchange
  const seen: Record<string, string> = {}
  request.fields.each((name, value) => (seen[name.toLowerCase()] = value))
  asked.push(seen)
  if (step.isDown === true) return respondPage(exchange, { status: 502, detail: 'Down.', fault: 'origin' })
  const isValid =
    step.from === 'validated' && (seen['if-none-match'] ?? seen['if-modified-since']) !== undefined
  const status = isValid ? 304 : (step.answerStatus ?? 200)
  const body = Buffer.from(step.content ?? COUNTED[answered++]!)
  const fields = fieldsOf((step.answer ?? []).map(dated).map(pair))
  if (status === 304) return exchange.respond({ status, fields, lengthOctets: null }, null)
  exchange.respond({ status, fields, lengthOctets: body.length }, request.method === 'HEAD' ? null : body)
}

/** `Date: -59` is a date 59 s ago. */
function dated(line: string): string {
  return line.replace(
    /^((?:Date|Expires|Last-Modified): )([+-]\d+)$/i,
    (_all, name: string, seconds: string) => {
      return name + new Date(nowMs + Number(seconds) * 1000).toUTCString()
    },
  )
}

function pair(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

type Answer = { status: number; text: string; fields: Map<string, string> }

function ask({ method = 'GET', send = [], target = '/' }: Step, host: string): Promise<Answer> {
  const headers = ['Host', host, ...send.flatMap(pair)]
  const own = send.find((line) => line.startsWith('Host: '))
  if (own !== undefined) headers.splice(0, 2)
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, method, path: target, headers, agent: false },
      (incoming) => {
        const fields = new Map<string, string>()
        for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
          const name = incoming.rawHeaders[i]!.toLowerCase()
          const before = fields.get(name)
          fields.set(name, (before === undefined ? '' : `${before}, `) + incoming.rawHeaders[i + 1]!)
        }
        let text = ''
        incoming.on('data', (octets) => (text += octets))
        incoming.on('end', () => resolve({ status: incoming.statusCode!, text, fields }))
      },
    )
    request.on('error', reject).end()
  })
}

async function run({ steps }: CacheCase): Promise<void> {
  await store.purge({ everything: true }, 'hard')
  asked = []
  answered = 0
  const firstMs = nowMs
  for (const [i, next] of steps.entries()) {
    step = next
    nowMs += (next.after ?? 0) * 1000
    const before = asked.length
    const { status, text, fields } = await ask(next, 'example.com')
    const at = `request ${i + 1}`
    const isAsked = asked.length > before
    const wasInBackground = fields.get('cache-status')?.includes('stale-while-revalidate') === true
    if (!wasInBackground) {
      assert.equal(isAsked, next.from !== 'cache', `${at} comes from ${isAsked ? 'the origin' : 'the cache'}`)
    }
    if (wasInBackground)
      await until(
        () => fields !== undefined && store.find('http://example.com/').length === 1 && asked.length > before,
      )
    assert.equal(status, next.status ?? 200, at)
    if (next.gets !== undefined) assert.equal(text, next.gets, at)
    for (const line of next.has ?? []) {
      const [name, value] = pair(line)
      const wanted = /^[+-]\d+$/.test(value) ? new Date(firstMs + Number(value) * 1000).toUTCString() : value
      assert.equal(fields.get(name), wanted, `${at}: ${name}`)
    }
    for (const name of next.hasNot ?? []) assert.equal(fields.get(name), undefined, `${at}: ${name}`)
    for (const line of next.asked ?? []) {
      if (line.includes(':')) assert.equal(asked.at(-1)![pair(line)[0]], pair(line)[1], at)
      else assert.equal(asked.at(-1)![line], undefined, at)
    }
  }
}

describe('the cache', () => {
  for (const one of cacheCases) test(`${one.title} (${one.section})`, () => run(one))
})
