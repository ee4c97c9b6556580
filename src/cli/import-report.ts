import type { Note } from '#config/nginx/notes.ts'
import { hasErrors, type Problem } from '#core/problem.ts'
import { plural } from '#core/units.ts'
import { type CommandInput, flagOption, type OptionDoc, textOption } from './command.ts'
import { writeNew } from './given.ts'
import { paint, print, printError, printProblems } from './print.ts'

/** What every import can be told. */
export const importOptions: Readonly<Record<string, OptionDoc>> = {
  output: { type: 'string', value: 'FILE', doc: 'Write to this file instead of the terminal.' },
  force: { type: 'boolean', doc: 'Replace the file of --output if it stands already.' },
  json: { type: 'boolean', doc: 'The Portico file, the notes and the problems as one JSON object.' },
}

export type Imported = {
  readonly text: string
  readonly notes: readonly Note[]
  readonly problems: readonly Problem[]
}

/**
 * Hand over what was imported: the file to stdout or --output, what is to be known of it to stderr.
 *
 * @returns the exit code
 */
export async function reportImport(
  input: CommandInput,
  { text, notes, problems }: Imported,
): Promise<number> {
  const output = textOption(input, 'output')
  if (output === undefined) print(text.trimEnd())
  else await writeNew(output, text, flagOption(input, 'force'))
  printProblems(problems, printError)
  for (const note of notes.filter(({ level }) => level !== 'dropped')) printError(noteText(note))
  const dropped = notes.filter(({ level }) => level === 'dropped').length
  if (dropped > 0)
    printError(
      paint(
        'quiet',
        `${plural(dropped, 'line')} left out that Portico has no need of; --json names them.`,
        process.stderr,
      ),
    )
  if (output !== undefined) printError(`Written to ${output}. Next: portico check --config ${output}`)
  return hasErrors(problems) ? 1 : 0
}

function noteText({ file, line, directive, level, message }: Note): string {
  const style = level === 'not understood' ? 'warning' : 'quiet'
  return `${file}:${line} ${paint(style, level, process.stderr)} ${directive}\n  ${message}`
}
