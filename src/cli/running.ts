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

/** What to say when no Portico answers. */
export const NOT_RUNNING = 'No Portico serves this file now. "portico up" starts one.'
