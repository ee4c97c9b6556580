import { hasErrors } from '#core/problem.ts'
import { planSource } from '#run/portico.ts'
import { type Command, findConfig, flagOption } from './command.ts'
import { countProblems, plural, print, printJson, printProblems } from './print.ts'

/** `portico check` */
export const checkCommand: Command = {
  name: 'check',
  summary: 'Find everything that is wrong in the file, before it is served.',
  usage: '[--json] [--config FILE]',
  options: { json: { type: 'boolean', doc: 'One JSON object with all problems.' } },
  examples: ['portico check', 'portico check --config site/portico.jsonc --json'],
  async run(input) {
    const file = findConfig(input)
    const { problems, plan } = await planSource({ file }, false)
    const failed = hasErrors(problems)
    if (flagOption(input, 'json')) {
      printJson({ file, ok: !failed, problems })
      return failed ? 1 : 0
    }
    printProblems(problems)
    const hosts =
      plan === null
        ? ''
        : `${plural(plan.http.hosts.length, 'host')}, ${plural(plan.dns.zones.length, 'zone')}; `
    print(`${file}: ${hosts}${countProblems(problems)}`)
    return failed ? 1 : 0
  },
}
