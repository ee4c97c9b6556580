import { styleText } from 'node:util'
import { type Problem, printProblem } from '#core/problem.ts'
import { plural } from '#core/units.ts'

/** Colours of a text, by meaning. */
export type Style = 'error' | 'warning' | 'good' | 'quiet' | 'strong'

const FORMATS = { error: 'red', warning: 'yellow', good: 'green', quiet: 'gray', strong: 'bold' } as const

/** Colour a text where a person reads it: on a terminal, unless NO_COLOR says otherwise (styleText looks). */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(FORMATS[style], text, { stream })
}

/** A line on stdout. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A line on stderr: what is not the answer itself. */
export function printError(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Print problems as a compiler does, and count them. */
export function printProblems(problems: readonly Problem[], write: (text: string) => void = print): void {
  for (const problem of problems) write(printProblem(problem, (level) => paint(problem.level, level)))
}

/** `2 errors, 1 warning`. */
export function countProblems(problems: readonly Problem[]): string {
  const errors = problems.filter(({ level }) => level === 'error').length
  const warnings = problems.length - errors
  const parts = [errors > 0 ? plural(errors, 'error') : '', warnings > 0 ? plural(warnings, 'warning') : '']
  return parts.filter((part) => part !== '').join(', ') || 'no problems'
}

/** Lines of a table, columns aligned by two spaces; the last one runs free. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const columns = rows.reduce((most, row) => Math.max(most, row.length), 0)
  const widths = Array.from({ length: columns }, (_, i) =>
    rows.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), 0),
  )
  return rows.map((row) => {
    return row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd()
  })
}

/** A value for machines. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}
