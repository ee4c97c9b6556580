import { type Command, flagOption } from '#cli/command.ts'
import { print, printJson, printProblems } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { hasErrors, type Problem } from '#core/problem.ts'
import type { ReloadOutcome } from '#run/portico.ts'

/** `portico reload` */
export const reloadCommand: Command = {
  name: 'reload',
  summary: 'Put the file to use in a running Portico; nothing changes when it has errors.',
  usage: '[--json] [--config FILE]',
  options: { json: { type: 'boolean', doc: 'What changed, as JSON.' } },
  examples: ['portico reload'],
  async run(input) {
    const outcome = (await requireRunning(input, 'POST /reload')) as ReloadOutcome
    if (flagOption(input, 'json')) {
      printJson(outcome)
    } else {
      printProblems(outcome.problems as Problem[])
      print(outcome.message)
    }
    return outcome.ok && !hasErrors(outcome.problems) ? 0 : 1
  },
}
