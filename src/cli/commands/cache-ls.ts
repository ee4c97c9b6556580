import { type Command, flagOption, textOption } from '#cli/command.ts'
import { paint, print, printJson } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { formatSize, plural } from '#core/units.ts'
import type { CacheRow } from '#run/cache-control.ts'

/** `portico cache ls` */
export const cacheLsCommand: Command = {
  name: 'cache ls',
  summary: 'List what the cache of a running Portico holds.',
  usage: '[PREFIX] [--limit N] [--after KEY] [--json] [--config FILE]',
  options: {
    limit: { type: 'string', value: 'N', doc: 'At most so many, 100 when not given, 1000 at most.' },
    after: { type: 'string', value: 'KEY', doc: 'Begin behind this key: the last one of the list before.' },
    json: { type: 'boolean', doc: 'The list as JSON.' },
  },
  positionals: { min: 0, max: 1 },
  examples: ['portico cache ls', 'portico cache ls https://example.com/shop/'],
  async run(input) {
    const query: [string, string][] = []
    const prefix = input.positionals[0]
    if (prefix !== undefined) query.push(['prefix', prefix])
    for (const name of ['limit', 'after']) {
      const value = textOption(input, name)
      if (value !== undefined) query.push([name, value])
    }
    const rows = (await requireRunning(input, 'GET /cache/ls', query)) as CacheRow[]
    if (flagOption(input, 'json')) printJson(rows)
    else printRows(rows)
    return 0
  },
}

function printRows(rows: readonly CacheRow[]): void {
  for (const row of rows) print(rowText(row))
  print(paint('quiet', plural(rows.length, 'response')))
}

/** One line about a stored response. */
export function rowText({
  key,
  status,
  octets,
  ageSeconds,
  freshForSeconds,
  isStale,
  state,
}: CacheRow): string {
  const fresh = isStale
    ? 'stale by purge'
    : freshForSeconds < 0
      ? `stale for ${-freshForSeconds} s`
      : `fresh for ${freshForSeconds} s`
  const growing = state === 'growing' ? ', growing' : ''
  return `${status}  ${formatSize(octets).padStart(9)}  ${`${ageSeconds} s old, ${fresh}${growing}`.padEnd(36)}  ${key}`
}
