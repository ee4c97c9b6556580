/** Where something was written. `line` and `column` start at 1; both are 0 when there is no text behind it. */
export type Position = { readonly file: string; readonly line: number; readonly column: number }

/** One thing that is wrong, or may be, with what a person wrote. */
export type Problem = {
  readonly level: 'error' | 'warning'
  /** stable, `service/what-is-wrong` */
  readonly code: string
  readonly at: Position
  /** what was written and why it cannot be, with the section of the RFC */
  readonly message: string
  /** something that can be pasted, or one thing to do */
  readonly fix?: string
}

/**
 * Print a problem as a compiler would.
 *
 * @example printProblem(p) // 'portico.jsonc:41:20 error dns/cname-to-address\n  "www" is …\n  Fix: …'
 */
export function printProblem(problem: Problem, paint: (text: string) => string = plain): string {
  const head = `${printPosition(problem.at)} ${paint(problem.level)} ${problem.code}`
  const fix = problem.fix === undefined ? '' : `\n  Fix: ${problem.fix}`
  return `${head}\n  ${problem.message}${fix}`
}

/** `file:line:column`, or the file alone when there is no text behind it. */
export function printPosition(at: Position): string {
  return at.line === 0 ? at.file : `${at.file}:${at.line}:${at.column}`
}

/** Errors and warnings in order of position, so that the list reads like the file. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort(
    (a, b) =>
      a.at.file.localeCompare(b.at.file) ||
      a.at.line - b.at.line ||
      a.at.column - b.at.column ||
      a.code.localeCompare(b.code),
  )
}

/** Whether anything forbids serving. */
export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some((problem) => problem.level === 'error')
}

function plain(text: string): string {
  return text
}

/** With a full stop, where the text has no end of its own. */
export function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
