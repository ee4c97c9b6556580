import type { PurgeReceipt } from '#cache/store/store.ts'
import { type Command, flagOption, listOption, UsageError } from '#cli/command.ts'
import { print, printJson } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { formatSize, plural } from '#core/units.ts'

/** `portico purge` */
export const purgeCommand: Command = {
  name: 'purge',
  summary: 'Take responses out of the cache of a running Portico.',
  usage: '[URL …] [--prefix URL] [--host NAME] [--tag TAG] [--all] [--soft] [--json] [--config FILE]',
  options: {
    prefix: { type: 'string', value: 'URL', multiple: true, doc: 'All whose URL begins so.' },
    host: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      doc: 'All of a host, with its port where that is not the usual one.',
    },
    tag: {
      type: 'string',
      value: 'TAG',
      multiple: true,
      doc: 'All with this tag (Cache-Tag, Surrogate-Key, "tags").',
    },
    all: { type: 'boolean', doc: 'Everything.' },
    soft: {
      type: 'boolean',
      doc: 'Only make them stale: they are validated, and served while that goes on where it is allowed.',
    },
    json: { type: 'boolean', doc: 'The receipts as JSON.' },
  },
  positionals: { min: 0, max: 100 },
  examples: ['portico purge https://example.com/a', 'portico purge --tag shop --soft'],
  async run(input) {
    const query: [string, string][] = input.positionals.map((url) => ['url', url])
    for (const name of ['prefix', 'host', 'tag']) {
      for (const value of listOption(input, name)) query.push([name, value])
    }
    if (flagOption(input, 'all')) query.push(['all', ''])
    if (query.length === 0)
      throw new UsageError('"portico purge" wants a URL, --prefix, --host, --tag or --all.')
    if (flagOption(input, 'soft')) query.push(['soft', ''])
    const receipts = (await requireRunning(input, 'POST /cache/purge', query)) as PurgeReceipt[]
    if (flagOption(input, 'json')) {
      printJson(receipts)
      return 0
    }
    const objects = receipts.reduce((sum, receipt) => sum + receipt.objects, 0)
    const octets = receipts.reduce((sum, receipt) => sum + receipt.octets, 0)
    const done = flagOption(input, 'soft') ? 'made stale' : 'purged'
    print(
      `${plural(objects, 'response')} ${done}, ${formatSize(octets)}, at ${new Date(receipts.at(-1)!.doneAtMs).toISOString()}`,
    )
    return 0
  },
}
