import assert from 'node:assert/strict'
import http from 'node:http'
import type { CacheConfig } from '#cache/config.ts'
import { createCounts } from '#cache/counts.ts'
import { createCache } from '#cache/handler.ts'
import { planCache } from '#cache/plan.ts'
import { openStore } from '#cache/store/open-store.ts'
import { createStoreMemory } from '#cache/store/shared.ts'
import { Verdicts } from '#cache/verdicts.ts'
import { silent } from '#core/log.ts'
import { httpLimits } from '#http/config.ts'
import type { Exchange } from '#http/exchange.ts'
import { createHttpServer } from '#http/server.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import type { Step } from './cache-cases.ts'
import { until } from './running.ts'

/** A cache behind a socket, before an origin that says what each step wants it to. */
export type CacheRunner = {
  /** Ask step by step; throws where something else comes than the step says. */
  run(steps: readonly Step[]): Promise<void>
  close(): Promise<void>
}

const COUNTED = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight']

/** Start a cache with these options; its clock stands still but for the steps' `after`. */
export async function startCache(config: CacheConfig): Promise<CacheRunner> {
  let nowMs = Date.UTC(2026, 0, 1)
  let step: Step
  let asked: Record<string, string>[] = []
  let askedTarget = ''
  let answered = 0
  const store = openStore(createStoreMemory({ budgetOctets: 16 * 2 ** 20 }), { worker: 0 })
  const options = { store, now: () => nowMs, log: silent, counts: createCounts(), verdicts: new Verdicts() }
  const handler = createCache(planCache(config)!, options, origin)
  const server = createHttpServer({ limits: httpLimits(), handler, log: silent })
  const listener = await server.prepare({ address: '127.0.0.1', port: 0, http2: false })
  listener.commit()

  function origin(exchange: Exchange): void {
    const { request } = exchange
    const seen: Record<string, string> = {}
    request.fields.each((name, value) => (seen[name.toLowerCase()] = value))
    asked.push(seen)
    askedTarget = request.target
    if (step.isDown === true) return respondPage(exchange, { status: 502, detail: 'Down.', fault: 'origin' })
    const isValid =
      step.from === 'validated' && (seen['if-none-match'] ?? seen['if-modified-since']) !== undefined
    const status = isValid ? 304 : (step.answerStatus ?? 200)
    const body = Buffer.from(step.content ?? COUNTED[answered++] ?? 'more')
    const fields = fieldsOf((step.answer ?? []).map((line) => pair(dated(line, nowMs))))
    if (status === 304) return exchange.respond({ status, fields, lengthOctets: null }, null)
    exchange.respond({ status, fields, lengthOctets: body.length }, request.method === 'HEAD' ? null : body)
  }

  async function runStep(next: Step, at: string, firstMs: number): Promise<void> {
    step = next
    nowMs += (next.after ?? 0) * 1000
    const before = asked.length
    const send = (next.send ?? []).map((line) => dated(line, nowMs))
    const { status, text, fields } = await ask({ ...next, send }, listener.port)
    if (fields.get('cache-status')?.includes('stale-while-revalidate') === true) {
      await until(() => asked.length > before)
    } else {
      const isAsked = asked.length > before
      assert.equal(isAsked, next.from !== 'cache', `${at} comes from ${isAsked ? 'the origin' : 'the cache'}`)
    }
    assert.equal(status, next.status ?? 200, at)
    if (next.gets !== undefined) assert.equal(text, next.gets, at)
    for (const line of next.has ?? []) {
      const [name, value] = pair(line)
      assert.equal(fields.get(name), pair(dated(line, firstMs))[1] ?? value, `${at}: ${name}`)
    }
    for (const name of next.hasNot ?? []) assert.equal(fields.get(name), undefined, `${at}: ${name}`)
    if (next.askedTarget !== undefined) assert.equal(askedTarget, next.askedTarget, at)
    for (const line of next.asked ?? []) {
      const [name, value] = line.includes(':') ? pair(line) : [line, undefined]
      assert.equal(asked.at(-1)![name], value, at)
    }
  }

  return {
    async run(steps) {
      await store.purge({ everything: true }, 'hard')
      asked = []
      answered = 0
      const firstMs = nowMs
      for (const [i, next] of steps.entries()) await runStep(next, `request ${i + 1}`, firstMs)
    },
    async close() {
      await server.close(0)
      await store.close()
    },
  }
}

/** `Date: -59` is a date 59 s before. */
function dated(line: string, nowMs: number): string {
  return line.replace(
    /^((?:Date|Expires|Last-Modified|If-Modified-Since): )([+-]\d+)$/i,
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

function ask({ method = 'GET', send = [], target = '/' }: Step, port: number): Promise<Answer> {
  const host = send.some((line) => line.startsWith('Host: ')) ? [] : ['Host', 'example.com']
  const headers = [...host, ...send.flatMap(pair)]
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path: target, headers, agent: false }
    const request = http.request(options, (incoming) => {
      const fields = new Map<string, string>()
      for (let i = 0; i < incoming.rawHeaders.length; i += 2) {
        const name = incoming.rawHeaders[i]!.toLowerCase()
        const before = fields.get(name)
        fields.set(name, (before === undefined ? '' : `${before}, `) + incoming.rawHeaders[i + 1]!)
      }
      let text = ''
      incoming.on('data', (octets) => (text += octets))
      incoming.on('end', () => resolve({ status: incoming.statusCode!, text, fields }))
    })
    request.on('error', reject).end()
  })
}
