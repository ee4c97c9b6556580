import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { ask, octetsOf } from '../../../test/exchange.ts'
import type { PlayerFilm } from './page.ts'
import { createPlayer } from './serve.ts'

const player = createPlayer((error) => {
  throw error
})
const film: PlayerFilm = {
  title: 'A <b> & "film"',
  formats: ['hls', 'dash'],
  player: 'hls',
  file: '../a b.mp4',
  keyOrigin: '',
  storyboard: '',
  isLive: false,
}
const get = (name: string, coding = '') =>
  ask((exchange) => assert.ok(player.serve(exchange, name, film)), {
    fields: coding === '' ? [] : [['Accept-Encoding', coding]],
  })
const page = async (): Promise<string> => (await octetsOf(await get('play'))).toString()

test('the page runs only what carries the nonce of its response, and asks nobody but its own host', async () => {
  const { status, head } = await get('play')
  const policy = head.fields.get('content-security-policy')!
  assert.equal(status, 200)
  assert.match(policy, /^default-src 'none'; script-src 'nonce-[\w+/=]{24}'; style-src 'nonce-/)
  assert.match(policy, /connect-src 'self'/)
  assert.equal(head.fields.get('cache-control'), 'no-store')
  const text = await page()
  const nonces = new Set([...text.matchAll(/nonce="([^"]+)"/g)].map((match) => match[1]))
  assert.equal(nonces.size, 1)
  assert.ok(!policy.includes([...nonces][0]!), 'each response has its own')
  assert.doesNotMatch(text, /https?:\/\//)
  assert.doesNotMatch(text, /^(?:import|export) /m)
  assert.doesNotMatch(text, /\son\w+=|style=/)
})

test('what the title holds is text', async () => {
  const text = await page()
  assert.match(text, /<h1>A &#60;b&#62; &#38; &#34;film&#34;<\/h1>/)
  assert.match(text, /data-file="\.\.\/a b\.mp4"/)
})

test('hls.js and dash.js come with their licences, compressed, under names that change with them (RFC 8246 §2)', async () => {
  const text = await page()
  for (const [format, terms] of [
    ['hls', /Apache License|Apache-2\.0/],
    ['dash', /Redistribution and use|BSD/],
  ] as const) {
    const name = new RegExp(`data-${format}="(play/${format}\\.[0-9a-f]{16}\\.js)"`).exec(text)![1]!
    const plain = await octetsOf(await get(name))
    assert.match(plain.toString('latin1', 0, 20_000), terms)
    for (const [coding, decode] of [
      ['br', brotliDecompressSync],
      ['gzip', gunzipSync],
    ] as const) {
      const coded = await get(name, coding)
      assert.equal(coded.head.fields.get('content-encoding'), coding)
      assert.match(coded.head.fields.get('cache-control')!, /immutable/)
      const octets = await octetsOf(coded)
      assert.ok(
        octets.length < plain.length / 3,
        `${format} by ${coding}: ${octets.length} of ${plain.length}`,
      )
      assert.ok(decode(octets).equals(plain))
    }
    const stale = name.replace(/[0-9a-f]{16}/, '0'.repeat(16))
    assert.equal((await get(stale)).status, 404)
  }
})

test('a film that is offered in one format has the player of that one', async () => {
  const { body } = await ask(
    (exchange) => void player.serve(exchange, 'play', { ...film, formats: ['dash'], file: '' }),
    {},
  )
  assert.match(String(body), /data-hls="" data-dash="play\/dash/)
})

test('other names are not the page’s', () => {
  for (const name of ['index.m3u8', 'play/', 'play/x.js', 'play/hls.js', 'player'])
    assert.equal(player.serve({} as never, name, film), false)
})
