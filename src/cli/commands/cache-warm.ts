import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Command, type CommandInput, textOption, UsageError } from '#cli/command.ts'
import { print, printError } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { formatSize, plural } from '#core/units.ts'
import type { Warmed } from '#run/cache-control.ts'

/** URLs of one run, sitemaps inside of sitemaps, and requests at a time. */
const LIMIT_URLS = 1_000_000
const LIMIT_SITEMAPS = 500
const AT_A_TIME = 4
/** For one URL: it may be a large file of a slow service. */
const LIMIT_MS = 3_600_000

/** `portico cache warm` */
export const cacheWarmCommand: Command = {
  name: 'cache warm',
  summary: 'Ask a running Portico for each URL of a list or a sitemap, so that its cache has them.',
  usage: 'FILE|SITEMAP [--rate N] [--config FILE]',
  options: { rate: { type: 'string', value: 'N', doc: 'Requests a second, 50 when not given.' } },
  positionals: { min: 1, max: 1, are: 'files' },
  examples: ['portico cache warm urls.txt', 'portico cache warm https://example.com/sitemap.xml --rate 10'],
  async run(input) {
    const rate = Number(textOption(input, 'rate') ?? 50)
    if (!(rate > 0 && rate <= 10_000)) throw new UsageError('--rate is a number from 1 to 10000.')
    const urls = await urlsOf(input, input.positionals[0]!)
    const failed = await warm(input, urls, rate)
    return failed === 0 ? 0 : 1
  },
}

async function urlsOf(input: CommandInput, source: string): Promise<string[]> {
  if (!/^https?:\/\//.test(source)) {
    const lines = (await readFile(source, 'utf8')).split('\n').map((line) => line.trim())
    return lines.filter((line) => line !== '' && !line.startsWith('#')).slice(0, LIMIT_URLS)
  }
  const urls: string[] = []
  const sitemaps = [source]
  for (let i = 0; i < sitemaps.length && i < LIMIT_SITEMAPS; i++) {
    const answer = await askFor(input, sitemaps[i]!, true)
    if (answer.status !== 200)
      throw new UsageError(`${sitemaps[i]} answers ${answer.status}; a sitemap is wanted.`)
    const text = answer.text ?? ''
    const found = [...text.matchAll(/<loc>\s*(?:<!\[CDATA\[)?\s*([^<\s\]]+)\s*(?:\]\]>)?\s*<\/loc>/g)].map(
      ([, loc]) => plainText(loc!),
    )
    if (/<sitemapindex[\s>]/.test(text)) sitemaps.push(...found)
    else urls.push(...found)
  }
  return urls.slice(0, LIMIT_URLS)
}

async function warm(input: CommandInput, urls: readonly string[], rate: number): Promise<number> {
  const startedAt = performance.now()
  const total = { done: 0, octets: 0, stored: 0, failed: 0 }
  let next = 0
  const work = async (): Promise<void> => {
    for (let i = next++; i < urls.length; i = next++) {
      // Each has its time: bursts after a slow answer would be no rate.
      await sleep(Math.max(0, startedAt + (i * 1000) / rate - performance.now()))
      const answer = await askFor(input, urls[i]!, false).catch(() => null)
      total.done++
      if (answer === null || answer.status >= 400) {
        total.failed++
        printError(`${answer?.status ?? 'no answer'}  ${urls[i]}`)
      } else {
        total.octets += answer.octets
        if (/; (?:hit|stored)/.test(answer.cacheStatus ?? '')) total.stored++
      }
      if (total.done % 100 === 0) print(progress(total, urls.length, startedAt))
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  print(progress(total, urls.length, startedAt))
  return total.failed
}

type Total = {
  readonly done: number
  readonly octets: number
  readonly stored: number
  readonly failed: number
}

function progress({ done, octets, stored, failed }: Total, of: number, startedAt: number): string {
  const perSecond = (done / ((performance.now() - startedAt) / 1000)).toFixed(1)
  return `${done} of ${plural(of, 'URL')}, ${stored} in the cache, ${failed} failed, ${formatSize(octets)}, ${perSecond} a second`
}

async function askFor(input: CommandInput, url: string, isTextWanted: boolean): Promise<Warmed> {
  const query: [string, string][] = [
    ['url', url],
    ...(isTextWanted ? ([['text', '']] as [string, string][]) : []),
  ]
  return (await requireRunning(input, 'POST /cache/warm', query, LIMIT_MS)) as Warmed
}

function plainText(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (_all, name: keyof typeof ENTITIES) => ENTITIES[name])
}

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const
