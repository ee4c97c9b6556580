import {
  type Command,
  type CommandInput,
  findConfig,
  flagOption,
  textOption,
  UsageError,
} from '#cli/command.ts'
import { countFindings, printFindings } from '#cli/findings.ts'
import { liveOptionDocs, readLiveOptions } from '#cli/live-options.ts'
import { countProblems, print, printJson, printProblems } from '#cli/print.ts'
import { type Finding, hasFailed } from '#core/finding.ts'
import { hasErrors } from '#core/problem.ts'
import { plural } from '#core/units.ts'
import { checkLive, type LiveOptions } from '#run/doctor/live.ts'
import { type Planned, planSource } from '#run/portico.ts'

/** `portico check` */
export const checkCommand: Command = {
  name: 'check',
  summary: 'Find everything that is wrong in the file, before it is served; with --live, in the world too.',
  usage: '[--live [--resolver ADDRESS[:PORT]] [--timeout TIME]] [--json] [--config FILE]',
  options: {
    live: { type: 'boolean', doc: 'Ask the world too: delegation, glue, DS, name servers, CAA, PTR, ports.' },
    ...liveOptionDocs,
    json: { type: 'boolean', doc: 'One JSON object with all problems.' },
  },
  examples: [
    'portico check',
    'portico check --live --resolver 9.9.9.9',
    'portico check --config site/portico.jsonc --json',
  ],
  async run(input) {
    const file = findConfig(input)
    const live = liveOptions(input)
    const planned = await planSource({ file }, false)
    const { problems } = planned
    const findings = live === null ? undefined : await checkLive(planned, live)
    const failed = hasErrors(problems) || hasFailed(findings ?? [])
    if (flagOption(input, 'json'))
      printJson({ file, ok: !failed, problems, ...(findings && { live: findings }) })
    else printReadable(file, planned, findings)
    return failed ? 1 : 0
  },
}

function liveOptions(input: CommandInput): LiveOptions | null {
  if (flagOption(input, 'live')) return readLiveOptions(input)
  const stray = ['resolver', 'timeout'].find((name) => textOption(input, name) !== undefined)
  if (stray !== undefined) throw new UsageError(`--${stray} belongs to --live.`)
  return null
}

function printReadable(
  file: string,
  { plan, problems }: Planned,
  findings: readonly Finding[] | undefined,
): void {
  printProblems(problems)
  if (findings !== undefined) printFindings(findings)
  const hosts =
    plan === null
      ? ''
      : `${plural(plan.http.hosts.length, 'host')}, ${plural(plan.dns.zones.length, 'zone')}; `
  const seen = findings === undefined ? '' : `; in the world ${countFindings(findings)}`
  print(`${file}: ${hosts}${countProblems(problems)}${seen}`)
}
