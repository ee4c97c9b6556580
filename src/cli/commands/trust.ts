import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, findConfig, flagOption } from '#cli/command.ts'
import { paint, print, printError, printProblems, type Style } from '#cli/print.ts'
import { planSource } from '#run/portico.ts'
import { openAuthority, type Root } from '#tls/authority.ts'
import { gatherTrustFacts, runTrustSteps, surroundingsOf, type TrustResult } from '#tls/trust.ts'
import { type TrustStep, trustSteps } from '#tls/trust-steps.ts'

/** Make this machine's browsers believe the local authority. */
export const trustCommand: Command = {
  name: 'trust',
  summary: 'Let this machine and its browsers trust the local authority, or no longer.',
  usage: '[--undo] [--dry-run] [--config FILE]',
  options: {
    undo: { type: 'boolean', doc: 'Take the root out of every place again.' },
    'dry-run': { type: 'boolean', doc: 'Only say what would be done.' },
  },
  examples: ['portico trust --dry-run', 'portico trust', 'portico trust --undo'],
  async run(input) {
    const { config, folder, problems } = await planSource({ file: findConfig(input) }, false)
    if (config === null) {
      printProblems(problems, printError)
      return 1
    }
    const undo = flagOption(input, 'undo')
    const authority = join(resolve(folder, config.value.state), 'tls')
    if (undo && !existsSync(join(authority, 'root.pem'))) {
      print(`There is no root in ${authority}, so nothing can trust it.`)
      return 0
    }
    const root = await openRoot(authority)
    const surroundings = surroundingsOf(root)
    const steps = trustSteps(await gatherTrustFacts(surroundings), undo ? 'forget' : 'trust')
    print(`The root is ${root.path}\n  ${root.name}, SHA-256 ${root.fingerprint}\n`)
    printCommands(steps)
    const isDry = flagOption(input, 'dry-run')
    const results = isDry ? steps.filter(isSettled) : await runTrustSteps(steps, surroundings.path)
    for (const result of results) printResult(result)
    const outcomes = results.map(({ outcome }) => outcome)
    const isDone = isDry || outcomes.includes('done') || outcomes.includes('nothing to do')
    return outcomes.includes('failed') || !isDone ? 1 : 0
  },
}

async function openRoot(folder: string): Promise<Root> {
  const say = (_level: string, event: string): void => {
    if (event === 'authority made') print('A new local authority was made.')
  }
  const { root } = await openAuthority({ folder, host: hostname(), now: Date.now(), log: say })
  return root
}

/** What will be run stands there before it is: some of it asks for a password. */
function printCommands(steps: readonly TrustStep[]): void {
  const lines = steps.flatMap(({ who, commands }) =>
    commands.map((words) => `${who}: ${words.map(quoted).join(' ')}`),
  )
  if (lines.length > 0) print(`${lines.join('\n')}\n`)
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

/** A step that nothing is run for: it stands as its own result. */
function isSettled(step: TrustStep): step is TrustStep & TrustResult {
  return step.outcome !== 'to do'
}

const STYLES: Readonly<Record<TrustResult['outcome'], Style>> = {
  done: 'good',
  'nothing to do': 'quiet',
  'not possible': 'warning',
  failed: 'error',
}

function printResult({ who, outcome, why }: TrustResult): void {
  print(`${paint(STYLES[outcome], outcome)}: ${who}${why === undefined ? '' : ` (${why})`}`)
}
