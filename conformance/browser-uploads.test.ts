import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { startBrowser, type TestBrowser } from '../test/browser.ts'
import { askBucket } from '../test/bucket.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning } from '../test/running.ts'

const chromium = peer('chromium')
const skip = chromium === undefined && 'needs chromium'

let running: Running
let browser: TestBrowser
let origin = ''
before(async () => {
  if (chromium === undefined) return
  running = await startRunning({
    hosts: {
      media: {
        http: 'serve',
        routes: { '/pages/**': { files: './pages' }, '/**': { bucket: './media' } },
      },
    },
  })
  origin = `http://media.example.com:${running.ports.http}`
  await mkdir(join(running.folder, 'pages/pages'), { recursive: true })
  for (const { name, markup } of forms) {
    await writeFile(
      join(running.folder, 'pages/pages', `${name}.html`),
      `<!doctype html><meta charset="utf-8">${markup}`,
    )
  }
  browser = await startBrowser(chromium)
})
after(async () => {
  await browser?.close()
  await running?.stop()
})

type Described = { readonly key: string; readonly type: string }
type Answer = { readonly objects: readonly Described[]; readonly fields?: unknown }

const LARGE = randomBytes(3_000_001)
/** every octet, line ends and what looks like a boundary: nothing in it may be taken for form */
const ODD = Buffer.concat([
  Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  Buffer.from('\r\n------WebKitFormBoundary\r\n\r\n--\r\n'),
])
const TEXT = 'Zeile 1\r\nÜñï ✓ & = + % "x" 🎬'

const forms = [
  {
    name: 'multipart',
    markup: `<form method="post" action="/up/" enctype="multipart/form-data">
      <input name="title"><textarea name="say"></textarea><input type="checkbox" name="tag" value="a" checked>
      <input type="checkbox" name="tag" value="b" checked><input type="file" name="files" multiple>
      <input type="file" name="none"><button>Send</button></form>`,
  },
  {
    name: 'urlencoded',
    markup: `<form method="post" action="/up/"><input name="title"><textarea name="say"></textarea><button>Send</button></form>`,
  },
  {
    name: 'plain',
    markup: `<form method="post" action="/up/plain.txt" enctype="text/plain"><input name="title"><button>Send</button></form>`,
  },
  {
    name: 'then',
    markup: `<form method="post" action="/up/?then=/pages/plain.html" enctype="multipart/form-data">
      <input type="file" name="file"><button>Send</button></form>`,
  },
]

async function stored(key: string): Promise<Buffer> {
  const reply = await askBucket(
    running.ports.http,
    'GET',
    `/${key.split('/').map(encodeURIComponent).join('/')}`,
  )
  assert.equal(reply.status, 200, reply.text)
  return reply.body
}

/** Press the form's button, and read the JSON that the browser then shows. */
async function send(page: Page): Promise<Answer> {
  const [response] = await Promise.all([page.waitForNavigation(), page.getByText('Send').click()])
  assert.equal(response!.status(), 201, await response!.text())
  return (await response!.json()) as Answer
}

test('a form of files and fields (multipart/form-data) arrives octet for octet (RFC 7578)', {
  skip,
}, async () => {
  const page = await browser.open(`${origin}/pages/multipart.html`)
  await page.fill('[name=title]', TEXT.replaceAll('\r\n', ' '))
  await page.fill('[name=say]', TEXT)
  await page.setInputFiles('[name=files]', [
    { name: 'large ü"1".bin', mimeType: 'application/octet-stream', buffer: LARGE },
    { name: 'odd\u{1F3AC}.dat', mimeType: '', buffer: ODD },
    { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
  ])
  const { objects, fields } = await send(page)
  assert.deepEqual(fields, { title: TEXT.replaceAll('\r\n', ' '), say: TEXT, tag: ['a', 'b'] })
  assert.deepEqual(
    objects.map(({ key }) => key),
    ['up/large ü"1".bin', 'up/odd\u{1F3AC}.dat', 'up/empty.txt'],
    'the field without a chosen file stores nothing',
  )
  for (const [i, content] of [LARGE, ODD, Buffer.alloc(0)].entries())
    assert.ok((await stored(objects[i]!.key)).equals(content), objects[i]!.key)
})

test('a form of fields (application/x-www-form-urlencoded) is stored as they were typed', {
  skip,
}, async () => {
  const page = await browser.open(`${origin}/pages/urlencoded.html`)
  const long = `${TEXT}${'long '.repeat(20_000)}`
  await page.fill('[name=title]', 'Ünïcode & + = %41')
  await page.fill('[name=say]', long)
  const { objects, fields } = await send(page)
  assert.deepEqual(fields, { title: 'Ünïcode & + = %41' })
  assert.equal((await stored(objects[0]!.key)).toString(), long)
})

test('a form of text/plain is stored as the text that it is', { skip }, async () => {
  const page = await browser.open(`${origin}/pages/plain.html`)
  await page.fill('[name=title]', 'Ünï = 1')
  const { objects } = await send(page)
  assert.deepEqual([objects[0]!.key, objects[0]!.type], ['up/plain.txt', 'text/plain'])
  assert.equal((await stored('up/plain.txt')).toString(), 'title=Ünï = 1\r\n')
})

test('after a form the browser is led on to where the form says', { skip }, async () => {
  const page = await browser.open(`${origin}/pages/then.html`)
  await page.setInputFiles('[name=file]', { name: 'then.bin', mimeType: '', buffer: ODD })
  await Promise.all([page.waitForURL('**/pages/plain.html'), page.getByText('Send').click()])
  assert.ok((await stored('up/then.bin')).equals(ODD))
})

/** Each runs in the page: it sends the octets of `base64`, and gives back what was answered. */
const fetches: readonly (readonly [name: string, send: (base64: string) => Promise<unknown>])[] = [
  [
    'a Blob',
    async (base64) => {
      const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      const headers = { 'Content-Disposition': 'attachment; filename="blob.bin"' }
      const body = new Blob([content], { type: 'application/x-odd' })
      return (await fetch('/fetched/', { method: 'POST', body, headers })).json()
    },
  ],
  [
    'FormData',
    async (base64) => {
      const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      const body = new FormData()
      body.append('title', 'Ünï')
      body.append('file', new File([content], 'formdata ü.bin'))
      return (await fetch('/fetched/', { method: 'POST', body })).json()
    },
  ],
  [
    'URLSearchParams',
    async (base64) => {
      // Of octets a form of text knows nothing: each becomes the character of its number.
      const body = new URLSearchParams({ title: 'Ünï', text: atob(base64) })
      return (await fetch('/fetched/', { method: 'POST', body })).json()
    },
  ],
  [
    'JSON with base64',
    async (base64) => {
      const body = JSON.stringify({ title: 'Ünï', file: { name: 'json.bin', base64 } })
      const headers = { 'Content-Type': 'application/json' }
      return (await fetch('/fetched/', { method: 'POST', body, headers })).json()
    },
  ],
  [
    'JSON with a data: URL',
    async (base64) => {
      const body = JSON.stringify({ photo: `data:application/x-odd;base64,${base64}` })
      const headers = { 'Content-Type': 'application/json' }
      return (await fetch('/fetched/', { method: 'POST', body, headers })).json()
    },
  ],
  [
    'an ArrayBuffer by PUT',
    async (base64) => {
      const content = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
      const put = await fetch('/fetched/put.bin', { method: 'PUT', body: content.buffer })
      return { objects: [await put.json()] }
    },
  ],
]

test('fetch sends Blob, FormData, URLSearchParams, JSON and an ArrayBuffer octet for octet', {
  skip,
}, async () => {
  const page = await browser.open(`${origin}/pages/plain.html`)
  const content = Buffer.concat([ODD, LARGE.subarray(0, 200_000)])
  for (const [name, sendIt] of fetches) {
    const { objects } = (await page.evaluate(sendIt, content.toString('base64'))) as Answer
    const kept = await stored(objects[0]!.key)
    const wanted = name === 'URLSearchParams' ? Buffer.from(content.toString('latin1'), 'utf8') : content
    assert.ok(kept.equals(wanted), `${name}: ${kept.length} octets in place of ${wanted.length}`)
  }
  assert.deepEqual(browser.complaints(), [])
})
