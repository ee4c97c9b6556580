import { loadObject } from '#config/load.ts'
import { type Log, silent } from '#core/log.ts'
import { type Problem, sortProblems } from '#core/problem.ts'
import type { Facts } from '#plan/facts.ts'
import { type Plan, plan as planConfig } from '#plan/plan.ts'
import { type Portico, startPortico } from '#run/portico.ts'

export type { Facts, Log, Plan, Portico, Problem }

/**
 * Derive the Plan from the same object that a file would hold. Pure.
 *
 * @param config as in portico.jsonc
 * @param facts what is known of the machine; nothing when not given
 * @returns `plan` is null when nothing can be planned; only one without errors can be served
 * @example plan({ address: ['203.0.113.10'], domains: { 'example.com': { hosts: { api: { service: 8081 } } } } })
 */
export function plan(
  config: unknown,
  facts: Facts = { dev: false, addresses: [] },
): { plan: Plan | null; problems: readonly Problem[] } {
  const loaded = loadObject(config)
  if (loaded.config === null) return { plan: null, problems: loaded.problems }
  const planned = planConfig(loaded.config, facts)
  return { plan: planned.plan, problems: sortProblems([...loaded.problems, ...planned.problems]) }
}

/**
 * Serve an object, or a file.
 *
 * @param what `{ file }`, or `{ config, folder }` where `folder` is where relative paths start
 * @throws {ProblemsError} with all `problems` when the object has errors
 * @throws {Error} when a listener cannot be opened or state cannot be read
 * @example const portico = await start({ config: { … }, folder: '.' }); await portico.stop()
 */
export function start(
  what: { readonly file: string } | { readonly config: unknown; readonly folder: string },
  options: { readonly dev?: boolean; readonly log?: Log } = {},
): Promise<Portico> {
  return startPortico({ source: what, dev: options.dev ?? false, log: options.log ?? silent })
}
