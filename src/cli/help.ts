import { allOptions, type Command } from './command.ts'
import { tableLines } from './print.ts'

/** Commands of one purpose, under a title of the list that `--help` prints. */
export type CommandGroup = { readonly title: string; readonly commands: readonly Command[] }

/** The narrowest terminal that is common. */
const WIDTH = 80

/** Lines about the program: every command by its purpose. */
export function programHelp(groups: readonly CommandGroup[]): string[] {
  const nameWidth = Math.max(...groups.flatMap(({ commands }) => commands.map(({ name }) => name.length)))
  return [
    'Portico: the one front of a domain. One file says what the domain is; one',
    'program serves it.',
    '',
    'Usage: portico COMMAND [OPTIONS]',
    ...groups.flatMap(({ title, commands }) => [
      '',
      `${title}:`,
      ...wrappedTable(commands.map(({ name, summary }) => [name.padEnd(nameWidth), summary])),
    ]),
    '',
    '"portico COMMAND --help" says more. "portico --version" says which this is.',
    'Exit codes: 0 done, 1 it could not be done, 2 wrong usage.',
  ]
}

/** Lines about the commands that share a first word. */
export function familyHelp(family: string, commands: readonly Command[]): string[] {
  return [
    `Usage: portico ${family} ${commands.map(({ name }) => name.slice(family.length + 1)).join('|')} …`,
    '',
    ...wrappedTable(commands.map(({ name, usage }) => [`portico ${name}`, usage])),
    '',
    ...wrappedTable(commands.map(({ name, summary }) => [name, summary])),
    '',
    `"portico ${commands[0]!.name} --help" says more.`,
  ]
}

/** Lines about one command: its options, and examples to paste. */
export function commandHelp(command: Command): string[] {
  const { name, summary, usage, examples } = command
  return [
    ...wrap(`portico ${name}: ${summary}`, WIDTH),
    '',
    ...wrap(`Usage: portico ${name} ${unbroken(usage)}`.trimEnd(), WIDTH).map((line, i) => {
      return `${i === 0 ? '' : '  '}${line.replaceAll(NO_BREAK, ' ')}`
    }),
    '',
    'Options:',
    ...wrappedTable(
      Object.entries(allOptions(command)).map(([option, { value, doc }]) => [
        `--${option}${value === undefined ? '' : ` ${value}`}`,
        doc,
      ]),
    ),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
  ]
}

const NO_BREAK = '\u00a0'

/** What stands in brackets stays on one line. */
function unbroken(usage: string): string {
  return usage.replace(/\[[^\]]*\]/g, (option) => option.replaceAll(' ', NO_BREAK))
}

/** A table of two columns, the second wrapped so that lines fit the terminal. */
function wrappedTable(rows: readonly (readonly [string, string])[]): string[] {
  const indent = 2
  const textWidth = WIDTH - indent - 2 - Math.max(...rows.map(([first]) => first.length))
  const cells = rows.flatMap(([first, text]) => {
    return wrap(text, textWidth).map((line, i) => [i === 0 ? first : '', line])
  })
  return tableLines(cells).map((line) => ' '.repeat(indent) + line)
}

/** Break a text between words; a longer word stands alone. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
