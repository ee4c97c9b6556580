import { type Command, commonOptions, parseCommand, UsageError } from '#cli/command.ts'
import { commands } from '#cli/commands.ts'
import { paint, print, printError, tableLines } from '#cli/print.ts'
import { version } from '#cli/version.ts'
import { nearest } from '#config/nearest.ts'

const [name, ...words] = process.argv.slice(2)
process.exitCode = await main(name, words)

async function main(name: string | undefined, words: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') return help(words[0])
  if (name === '--version' || name === 'version') {
    print(version())
    return 0
  }
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    const near = nearest(
      name,
      commands.map((candidate) => candidate.name),
    )
    printError(
      `"${name}" is no command of portico${near === undefined ? '' : `; did you mean "${near}"?`} "portico --help" lists them.`,
    )
    return 2
  }
  try {
    const input = parseCommand(command, words)
    if (input.options['help'] === true) return help(name)
    return await command.run(input)
  } catch (error) {
    return fail(error, command)
  }
}

function fail(error: unknown, command: Command): number {
  const message = error instanceof Error ? error.message : String(error)
  printError(`${paint('error', 'portico:', process.stderr)} ${message}`)
  if (!(error instanceof UsageError)) return 1
  printError(`Usage: portico ${command.name} ${command.usage}`)
  return 2
}

function help(name: string | undefined): number {
  const command = commands.find((candidate) => candidate.name === name)
  if (command === undefined) {
    print('portico: the one front of a domain. One file says what the domain is; one program serves it.\n')
    print('Usage: portico COMMAND [OPTIONS]\n')
    for (const line of tableLines(commands.map(({ name, summary }) => [`  ${name}`, summary]))) print(line)
    print('\n"portico COMMAND --help" says more. Exit codes: 0 done, 1 it could not be done, 2 wrong usage.')
    return 0
  }
  print(`portico ${command.name}: ${command.summary}\n\nUsage: portico ${command.name} ${command.usage}\n`)
  const options = Object.entries({ ...command.options, ...commonOptions })
  for (const line of tableLines(
    options.map(([option, { value, doc }]) => [
      `  --${option}${value === undefined ? '' : ` ${value}`}`,
      doc,
    ]),
  ))
    print(line)
  print(`\nExamples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`)
  return 0
}
