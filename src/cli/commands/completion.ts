import { type Command, UsageError } from '#cli/command.ts'
import { completionScript, shells } from '#cli/completion-script.ts'
import { print } from '#cli/print.ts'

/** @param commands all of them; asked for late, because this command is one of them */
export function createCompletionCommand(commands: () => readonly Command[]): Command {
  return {
    name: 'completion',
    summary: 'Print a script that lets a shell complete commands, options and files.',
    usage: shells.join('|'),
    options: {},
    positionals: { min: 1, max: 1, are: shells },
    examples: [
      'source <(portico completion bash)',
      'portico completion fish > ~/.config/fish/completions/portico.fish',
    ],
    async run({ positionals: [written] }) {
      const shell = shells.find((known) => known === written)
      if (shell === undefined)
        throw new UsageError(`There is no script for ${written}, only for ${shells.join(', ')}.`)
      print(completionScript(shell, commands()).trimEnd())
      return 0
    },
  }
}
