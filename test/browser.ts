import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Chromium for the tests of one file: names below example.com lead to loopback, and to nothing else. */
export type TestBrowser = {
  /** A page in a profile of its own; what it does not find within a minute fails. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>
  /** what pages logged as errors, and exceptions that nobody caught, since the last call */
  complaints(): string[]
  close(): Promise<void>
}

/** @param path of Debian's Chromium, from `peer('chromium')` */
export async function startBrowser(path: string): Promise<TestBrowser> {
  const browser = await launch(path)
  const complaints: string[] = []
  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
      context.setDefaultTimeout(LIMIT_MS)
      context.on('weberror', (error) => complaints.push(error.error().message))
      context.on('console', (message) => {
        // Chromium asks for an icon by itself.
        if (message.type() === 'error' && !message.location().url.endsWith('/favicon.ico'))
          complaints.push(`${message.text()} ${message.location().url}`)
      })
      const page = await context.newPage()
      await page.goto(url)
      return page
    },
    complaints: () => complaints.splice(0),
    close: () => browser.close(),
  }
}

function launch(path: string): Promise<Browser> {
  return chromium.launch({
    executablePath: path,
    timeout: 60_000,
    args: [
      // Chromium's sandbox does not start for root, which containers are.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      '--host-resolver-rules=MAP *.example.com 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--autoplay-policy=no-user-gesture-required',
      '--disable-dev-shm-usage',
    ],
  })
}

/** Keep a picture of the page for people, where PORTICO_PICTURES names a folder. */
export async function picture(page: Page, name: string): Promise<void> {
  const octets = await page.screenshot()
  const folder = process.env['PORTICO_PICTURES']
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${name}.png`), octets)
}

/** A phone that is held upright. */
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  deviceScaleFactor: 2,
}

const LIMIT_MS = 60_000
