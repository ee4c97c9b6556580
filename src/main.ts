import { type Command, type CommandInput, parseCommand, UsageError } from '#cli/command.ts'
import { commandGroups, commandNear, commands } from '#cli/commands.ts'
import { commandHelp, familyHelp, programHelp } from '#cli/help.ts'
import { paint, print, printError } from '#cli/print.ts'
import { NotRunning } from '#cli/running.ts'
import { sayError } from '#core/say-error.ts'
import { version } from '#core/version.ts'

for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `portico plan | head`, or a closed terminal: nobody reads on, which is no fault; and a server goes on serving.
    if (error.code === 'EPIPE' || error.code === 'EIO') return
    process.exitCode = 1
    if (stream === process.stdout) printError(`portico: Cannot write the output: ${error.message}`)
  })
}

const code = await main(process.argv.slice(2))
process.exitCode ||= code

async function main(words: readonly string[]): Promise<number> {
  const [first, second] = words
  if (first === undefined || first === '--help' || first === '-h') return say(programHelp(commandGroups))
  if (first === 'help')
    return words.length === 1 ? say(programHelp(commandGroups)) : main([...words.slice(1), '--help'])
  if (first === '--version' || first === '-v' || first === '-V' || first === 'version')
    return say([version()])
  const command = commands.find(({ name }) => name === first || name === `${first} ${second}`)
  if (command !== undefined) return run(command, words.slice(command.name.split(' ').length))
  const family = commands.filter(({ name }) => name.startsWith(`${first} `))
  if (family.length > 0 && isHelp(second)) return say(helpOf(first, family))
  return refuse(first, second, family)
}

async function run(command: Command, words: readonly string[]): Promise<number> {
  try {
    const input: CommandInput = parseCommand(command, words)
    if (input.options['help'] === true) return say(commandHelp(command))
    return await command.run(input)
  } catch (error) {
    if (error instanceof NotRunning) {
      printError(error.message)
      return 1
    }
    printError(`${paint('error', 'portico:', process.stderr)} ${sayError(error)}`)
    if (!(error instanceof UsageError)) return 1
    printError(`Usage: portico ${command.name} ${command.usage}`.trimEnd())
    return 2
  }
}

function helpOf(first: string, family: readonly Command[]): string[] {
  return family.length === 1 ? commandHelp(family[0]!) : familyHelp(first, family)
}

function isHelp(word: string | undefined): boolean {
  return word === '--help' || word === '-h'
}

/** Say which word is no command, and what may have been meant. */
function refuse(first: string, second: string | undefined, family: readonly Command[]): number {
  if (family.length > 0 && second === undefined) {
    for (const line of helpOf(first, family)) printError(line)
    return 2
  }
  if (first === 'stop') {
    printError(
      'A running Portico ends by Ctrl-C or SIGTERM ("portico status" has its process), or: systemctl stop portico',
    )
    return 2
  }
  if (first.startsWith('-')) {
    printError(`"${first}" stands before the command; options stand behind it: portico COMMAND ${first} …`)
    return 2
  }
  const written = family.length > 0 ? `${first} ${second}` : first
  const near = commandNear(written) ?? family[0]?.name
  const guess = near === undefined ? '.' : `; did you mean "${near}"?`
  printError(`"${written}" is no command of portico${guess} "portico --help" lists them.`)
  return 2
}

function say(lines: readonly string[]): number {
  for (const line of lines) print(line)
  return 0
}
