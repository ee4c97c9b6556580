import { resolve } from 'node:path'
import { askPortico } from '#admin/client.ts'
import { planSource } from '#run/portico.ts'
import { type CommandInput, findConfig } from './command.ts'

/**
 * Ask the Portico that serves the file.
 *
 * @param waitMs for the answer; 30 s unless said
 * @returns its answer, or null when none runs
 */
export async function askRunning(
  input: CommandInput,
  what: string,
  query: Record<string, string> | [string, string][] = {},
  waitMs?: number,
): Promise<unknown> {
  const { config, folder } = await planSource({ file: findConfig(input) }, false)
  return askPortico(resolve(folder, config?.value.state ?? 'state'), what, query, waitMs)
}

/**
 * The same, where nothing can be said without one.
 *
 * @throws {NotRunning} when none runs
 */
export async function requireRunning(...asked: Parameters<typeof askRunning>): Promise<unknown> {
  const answer = await askRunning(...asked)
  if (answer === null) throw new NotRunning()
  return answer
}

/** No Portico serves the file: said as it is, for it is no fault of the command. */
export class NotRunning extends Error {
  override readonly message: string = NOT_RUNNING
}

/** What to say when no Portico answers. */
export const NOT_RUNNING = 'No Portico serves this file now. "portico up" starts one.'
