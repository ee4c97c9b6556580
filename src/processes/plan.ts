import { contentKey, type PlanNode } from '#core/node.ts'
import type { Position } from '#core/problem.ts'
import { splitWords } from './words.ts'

/** A program that Portico starts. `id` is `process:` and the host it answers for. */
export type ProcessPlan = PlanNode & {
  /** the host's name: its output carries it */
  readonly name: string
  /** program and arguments */
  readonly words: readonly string[]
  /** relative to the file, or absolute */
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** 0: Portico picks a free one */
  readonly port: number
}

/** A program as written in the file. */
export type RunConfig = {
  readonly run: string | readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly port?: number
}

/**
 * Decide what to start for a host.
 *
 * @param name host, or host and path pattern
 * @returns the process, or the text of what cannot be read in the command line
 */
export function planProcess(name: string, written: RunConfig, from: Position): ProcessPlan | string {
  const words = typeof written.run === 'string' ? splitWords(written.run) : written.run
  if (typeof words === 'string') return words
  if (words[0] === undefined || words[0] === '') return 'The command is empty.'
  const content = { name, words, cwd: written.cwd ?? '.', env: written.env ?? {}, port: written.port ?? 0 }
  return { id: `process:${name}`, key: contentKey(content), from, ...content }
}
