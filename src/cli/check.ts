import { type Finding, hasFailed } from '#core/finding.ts'
import { hasErrors } from '#core/problem.ts'
import { parseDuration } from '#core/units.ts'
import { checkLive, parseResolver } from '#run/live.ts'
import { type Planned, planSource } from '#run/portico.ts'
import { type Command, type CommandInput, findConfig, flagOption, textOption, UsageError } from './command.ts'
import { countFindings, printFindings } from './findings.ts'
import { countProblems, plural, print, printJson, printProblems } from './print.ts'

/** `portico check` */
export const checkCommand: Command = {
  name: 'check',
  summary: 'Find everything that is wrong in the file, before it is served; with --live, in the world too.',
  usage: '[--live [--resolver ADDRESS[:PORT]] [--timeout TIME]] [--json] [--config FILE]',
  options: {
    live: { type: 'boolean', doc: 'Ask the world too: delegation, glue, DS, name servers, CAA, PTR, ports.' },
    resolver: {
      type: 'string',
      value: 'ADDRESS[:PORT]',
      doc: "The resolver that --live asks; the system's own when not given.",
    },
    timeout: {
      type: 'string',
      value: 'TIME',
      doc: 'How long --live may take in all, such as 10s (the default).',
    },
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

const TIMEOUT = { initial: '10s', minMs: 100, maxMs: 120_000 }

function liveOptions(input: CommandInput): Parameters<typeof checkLive>[1] | null {
  const [written, time] = [textOption(input, 'resolver'), textOption(input, 'timeout')]
  if (!flagOption(input, 'live')) {
    if (written === undefined && time === undefined) return null
    throw new UsageError('--resolver and --timeout belong to --live.')
  }
  const resolver = written === undefined ? undefined : parseResolver(written)
  if (written !== undefined && resolver === undefined)
    throw new UsageError(
      `--resolver is "${written}"; an address is wanted, such as 9.9.9.9 or [2620:fe::fe]:53.`,
    )
  const timeoutMs = parseDuration(time ?? TIMEOUT.initial)
  if (timeoutMs === undefined || timeoutMs < TIMEOUT.minMs || timeoutMs > TIMEOUT.maxMs)
    throw new UsageError(`--timeout is "${time}"; a time from 100ms to 2m is wanted, such as 10s.`)
  return { timeoutMs, ...(resolver === undefined ? {} : { resolver }) }
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
