import { type Command, flagOption } from '#cli/command.ts'
import { paint, print, printJson } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import type { CacheDetail } from '#run/cache-control.ts'
import { rowText } from './cache-ls.ts'

/** `portico cache show` */
export const cacheShowCommand: Command = {
  name: 'cache show',
  summary: 'Show what the cache of a running Portico holds for a URL, with its fields.',
  usage: 'URL [--json] [--config FILE]',
  options: { json: { type: 'boolean', doc: 'As JSON.' } },
  positionals: { min: 1, max: 1 },
  examples: ['portico cache show https://example.com/a'],
  async run(input) {
    const query: [string, string][] = [['url', input.positionals[0]!]]
    const found = (await requireRunning(input, 'GET /cache/show', query)) as CacheDetail[]
    if (flagOption(input, 'json')) printJson(found)
    else if (found.length === 0) print('Nothing is stored under this URL.')
    else for (const one of found) printDetail(one)
    return 0
  },
}

function printDetail(one: CacheDetail): void {
  print(paint('strong', rowText(one)))
  for (const [name, value] of one.vary) print(`  chosen by ${name}: ${value ?? paint('quiet', '(not sent)')}`)
  if (one.tags.length > 0) print(`  tags: ${one.tags.join(', ')}`)
  for (const [name, value] of one.fields) print(`  ${name}: ${value}`)
}
