import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { PHONE, picture, startBrowser, type TestBrowser } from '../test/browser.ts'
import { askBucket } from '../test/bucket.ts'
import { peer } from '../test/peers.ts'
import { type Running, startRunning, until } from '../test/running.ts'

const chromium = peer('chromium')
const skip = chromium === undefined && 'needs chromium'

let running: Running
let browser: TestBrowser
before(async () => {
  if (chromium === undefined) return
  running = await startRunning({
    hosts: {
      media: { http: 'serve', bucket: { root: './media', page: true } },
      files: { http: 'serve', files: { root: './public', listing: true } },
    },
  })
  browser = await startBrowser(chromium)
})
after(async () => {
  await browser?.close()
  await running?.stop()
})

const url = (host: string, path: string): string => `http://${host}.example.com:${running.ports.http}${path}`
const CONTENT = randomBytes(12_000_000)

async function assertStored(key: string, content: Uint8Array): Promise<void> {
  const reply = await askBucket(running.ports.http, 'GET', `/${encodeURIComponent(key)}`)
  assert.ok(reply.status === 200 && reply.body.equals(content), `${key}: ${reply.status}`)
}

async function assertFits(page: Page): Promise<void> {
  const widths = await page.evaluate<number[]>('[document.documentElement.scrollWidth, innerWidth]')
  assert.ok(widths[0]! <= widths[1]!, `the page is ${widths[0]} wide on a screen of ${widths[1]}`)
}

/** Let the page send so many octets a second. */
async function throttle(page: Page, uploadThroughput: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  await session.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput,
  })
}

/** Drop files on the page, as from a folder beside it. */
async function drop(page: Page, files: Readonly<Record<string, Buffer>>): Promise<void> {
  const named = Object.entries(files).map(([name, octets]) => [name, octets.toString('base64')] as const)
  const transfer = await page.evaluateHandle(`(() => {
    const data = new DataTransfer()
    for (const [name, base64] of ${JSON.stringify(named)})
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name))
    return data
  })()`)
  await page.dispatchEvent('#drop', 'dragenter', { dataTransfer: transfer })
  await picture(page, 'upload-drop')
  await page.dispatchEvent('#drop', 'drop', { dataTransfer: transfer })
}

test('files are dropped on the upload page, several at once; one pauses, goes on, and all have links', {
  skip,
}, async () => {
  const page = await browser.open(url('media', '/'))
  await picture(page, 'upload-empty')
  await throttle(page, 3_000_000)
  await drop(page, { 'a ü.bin': CONTENT, 'b.txt': Buffer.from('b'), 'empty.txt': Buffer.alloc(0) })
  const row = page.locator('li', { hasText: 'a ü.bin' })
  const value = async (): Promise<number> => Number(await row.locator('progress').getAttribute('value'))
  await until(async () => (await value()) > 1_000_000, 60_000)
  await picture(page, 'upload-progress')
  await row.getByRole('button', { name: 'Pause' }).click()
  await row.getByText(/^Paused/).waitFor()
  const paused = await value()
  assert.ok(paused > 1_000_000, 'the bar stays where it was')
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(await value(), paused, 'nothing goes while it is paused')
  await picture(page, 'upload-paused')
  await throttle(page, -1)
  await row.getByRole('button', { name: 'Resume' }).click()
  const link = page.getByRole('link', { name: 'a ü.bin' })
  await link.waitFor()
  await page.getByRole('link', { name: 'empty.txt' }).waitFor()
  await picture(page, 'upload-done')
  assert.equal(await link.getAttribute('href'), '/a%20%C3%BC.bin')
  await assertStored('a ü.bin', CONTENT)
  await assertStored('b.txt', Buffer.from('b'))
  await assertStored('empty.txt', Buffer.alloc(0))
  assert.deepEqual(browser.complaints(), [])
})

test('the upload page works by keyboard alone', { skip }, async () => {
  const page = await browser.open(url('media', '/'))
  // Asked for early: it takes Chromium a moment to give its dialogs to the test.
  const chosen = page.waitForEvent('filechooser')
  await throttle(page, 2_000_000)
  await page.keyboard.press('Tab')
  await picture(page, 'upload-focus')
  await page.keyboard.press('Enter')
  const chooser = await chosen
  await chooser.setFiles({ name: 'keys.bin', mimeType: '', buffer: CONTENT.subarray(0, 5_000_000) })
  await page.getByRole('button', { name: 'Pause keys.bin' }).waitFor()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Resume keys.bin' }).waitFor()
  await throttle(page, -1)
  await page.keyboard.press('Enter')
  await page.getByRole('link', { name: 'keys.bin' }).waitFor()
  const focused = await page.evaluate('document.activeElement.textContent')
  assert.equal(focused, 'keys.bin', 'whoever pressed the button stands on its link then')
  await assertStored('keys.bin', CONTENT.subarray(0, 5_000_000))
})

test('the upload page fits a phone, and the dark', { skip }, async () => {
  const page = await browser.open(url('media', '/'), { ...PHONE, colorScheme: 'dark' })
  await throttle(page, 1_000_000)
  const name = `${'a-very-long-name-without-a-blank-'.repeat(4)}.bin`
  await drop(page, { [name]: CONTENT.subarray(0, 3_000_000), 'b.txt': Buffer.from('b') })
  await page.getByRole('link', { name: 'b.txt' }).waitFor()
  await assertFits(page)
  const heights = await page
    .locator('li button')
    .evaluateAll((buttons) => buttons.map((button) => button.getBoundingClientRect().height))
  assert.ok(
    heights.every((height) => height >= 40),
    `a finger needs more than ${heights} pixels`,
  )
  await picture(page, 'upload-phone')
})

test('the listing of a folder looks as it should, on a screen and on a phone', { skip }, async () => {
  const root = join(running.folder, 'public')
  await mkdir(join(root, 'films'), { recursive: true })
  for (const [name, octets] of [
    ['film part 10.mp4', 3_400_000],
    ['film part 2.mp4', 52_000],
    ['a <b> & ü.txt', 12],
    [`${'long-name-'.repeat(12)}.txt`, 1],
  ] as const)
    await writeFile(join(root, name), Buffer.alloc(octets))
  const page = await browser.open(url('files', '/'))
  await picture(page, 'listing')
  assert.equal(await page.getByRole('link').count(), 5)
  const phone = await browser.open(url('files', '/'), { ...PHONE, colorScheme: 'dark' })
  await picture(phone, 'listing-phone')
  await assertFits(phone)
  await phone.getByRole('link', { name: 'films/' }).click()
  await phone.getByRole('link', { name: '../' }).waitFor()
  await picture(phone, 'listing-empty')
  assert.deepEqual(browser.complaints(), [])
})
