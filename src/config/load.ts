import { hasErrors, type Problem, sortProblems } from '#core/problem.ts'
import { fileSettings, type PorticoConfig } from './file.ts'
import { type NamedPath, readSettings } from './read.ts'
import { objectSource, readSource, type Written } from './source.ts'

/** A file that was read: its values, and where each stands. */
export type Config = {
  readonly written: Written
  readonly value: PorticoConfig
  /** what it names on disk */
  readonly paths: readonly NamedPath[]
}

/**
 * Read the text of a Portico file.
 *
 * @param file name for messages
 * @returns `config` is null when nothing can be planned from it; problems are in order of position
 */
export function loadText(file: string, text: string): { config: Config | null; problems: Problem[] } {
  const { written, problems } = readSource(file, text)
  // After a fault of syntax what was read is a guess: planning it would bury the cause under its consequences.
  if (hasErrors(problems)) return { config: null, problems: sortProblems(problems) }
  return loadWritten(written)
}

/** Take the same object from a program instead of a file. */
export function loadObject(value: unknown): { config: Config | null; problems: Problem[] } {
  return loadWritten(objectSource(value))
}

function loadWritten(written: Written): { config: Config | null; problems: Problem[] } {
  const read = readSettings(fileSettings, { ...written, value: written.value ?? {} })
  const problems = sortProblems(read.problems)
  const value = read.value as PorticoConfig | undefined
  // The table has checked the shape; without domains there is nothing to plan.
  if (value?.domains === undefined) return { config: null, problems }
  return { config: { written, value, paths: read.paths }, problems }
}
