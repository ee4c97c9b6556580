import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { askPortico } from '#admin/client.ts'
import { type Command, findConfig, flagOption, textOption, UsageError } from '#cli/command.ts'
import { paint, print, printError, printJson, printProblems } from '#cli/print.ts'
import { hasErrors, printPosition } from '#core/problem.ts'
import { compileZones } from '#dns/zone.ts'
import { type Explanation, explain } from '#run/explain/explain.ts'
import { seeFile } from '#run/explain/file.ts'
import { parseQuestion, type Question } from '#run/explain/question.ts'
import type { Step } from '#run/explain/step.ts'
import { type Planned, planSource } from '#run/portico.ts'

/** `portico explain` */
export const explainCommand: Command = {
  name: 'explain',
  summary:
    'Say why a URL, a name or a record is answered as it is, with the line of the file behind each step.',
  usage: 'TARGET [TYPE] [--from IP] [--dev] [--json] [--config FILE]',
  options: {
    from: { type: 'string', value: 'IP', doc: 'Address of the client.' },
    dev: { type: 'boolean', doc: 'When none runs: as "portico up --dev" would serve it.' },
    json: { type: 'boolean', doc: 'The steps as JSON.' },
  },
  positionals: { min: 1, max: 2 },
  examples: [
    'portico explain https://api.example.com/v1/users',
    'portico explain example.com MX',
    'portico explain api.example.com --from 203.0.113.7',
  ],
  async run(input) {
    const question = parseQuestion(input.positionals)
    if (typeof question === 'string') throw new UsageError(question)
    const from = textOption(input, 'from') ?? null
    if (from !== null && isIP(from) === 0) throw new UsageError(`--from ${from} is no IP address.`)
    const planned = await planSource({ file: findConfig(input) }, flagOption(input, 'dev'))
    const { config, plan, problems, folder } = planned
    const query = { target: input.positionals.join(' '), ...(from === null ? {} : { from }) }
    const running = await askPortico(resolve(folder, config?.value.state ?? 'state'), 'GET /explain', query)
    if (running === null && (plan === null || hasErrors(problems))) {
      printProblems(problems, printError)
      return 1
    }
    const explanation = (running as Explanation | null) ?? (await explainFile(question, planned, from))
    if (flagOption(input, 'json')) printJson({ ...explanation, running: running !== null })
    else printExplanation(explanation, running !== null)
    return 0
  },
}

/** What follows from the file alone, and what stands on disk. */
async function explainFile(
  question: Question,
  { plan, folder }: Planned,
  from: string | null,
): Promise<Explanation> {
  const zones = compileZones(plan!.dns.zones, new Map())
  const file = await seeFile(question, plan!, folder)
  return explain(question, { plan: plan!, zones, live: null, file }, from)
}

function printExplanation({ target, from, steps }: Explanation, isRunning: boolean): void {
  const where = isRunning ? 'as the running Portico decides' : 'as the file says; no Portico runs'
  print(`${paint('strong', target)}${from === null ? '' : ` from ${from}`} ${paint('quiet', `(${where})`)}`)
  let last = ''
  for (const step of steps) {
    printStep(step, step.step === last ? '' : step.step)
    last = step.step
  }
}

function printStep({ says, reason, at, isFault }: Step, title: string): void {
  const place = at === null ? '' : `  ${printPosition(at)}`
  print(`  ${title.padEnd(12)}${isFault ? paint('error', says) : says}`)
  print(`  ${' '.repeat(12)}${paint('quiet', `${reason}${place}`)}`)
}
