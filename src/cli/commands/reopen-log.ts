import type { Command } from '#cli/command.ts'
import { print, printError } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'

/** `portico reopen-log` */
export const reopenLogCommand: Command = {
  name: 'reopen-log',
  summary: 'Go on with the access log in a new file, after another program has moved it away.',
  usage: '[--config FILE]',
  options: {},
  examples: ['mv access.log access.log.1 && portico reopen-log'],
  async run(input) {
    const said = (await requireRunning(input, 'POST /reopen-log')) as { readonly reopened: boolean }
    if (!said.reopened) {
      printError(NO_LOG)
      return 1
    }
    print('The access log goes on in its file, opened anew.')
    return 0
  },
}

const NO_LOG =
  'The file has no access log that could be opened anew: "log": { "access": "./access.log" } writes one.'
