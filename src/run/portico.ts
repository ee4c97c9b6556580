import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { type Config, loadObject, loadText } from '#config/load.ts'
import { hasCode } from '#core/errors.ts'
import type { Log } from '#core/log.ts'
import { hasErrors, type Problem, sortProblems } from '#core/problem.ts'
import type { AccessLog } from '#log/record.ts'
import { atNextStart, type Changes, changesBetween } from '#plan/changes.ts'
import { secretFilesOf } from '#plan/check/buckets.ts'
import type { Facts } from '#plan/facts.ts'
import { type Plan, plan } from '#plan/plan.ts'
import { gatherCertificates, gatherFacts, gatherPaths, gatherSecrets } from './facts.ts'
import { createFront, type Front } from './front.ts'
import { lockState } from './state-lock.ts'
import { loadWorker } from './workers.ts'

/** A file, or the same object from a program. */
export type ConfigSource = { readonly file: string } | { readonly config: unknown; readonly folder: string }

export type Planned = {
  readonly config: Config | null
  readonly plan: Plan | null
  readonly problems: readonly Problem[]
  readonly facts: Facts
  readonly folder: string
}

/** A running Portico. */
export type Portico = {
  readonly front: Front
  readonly facts: Facts
  /** where the file is; null when a program gave an object */
  readonly file: string | null
  /** where relative paths of the file begin */
  readonly folder: string
  readonly stateFolder: string
  readonly startedAt: Date
  /** how the last try to put a file to use ended */
  readonly lastReload: ReloadOutcome
  /** since the start, which is the first good one */
  readonly reloads: Readonly<ReloadCounts>
  /** Read the file again and put it to use; on any error everything stays as it is. */
  reload(): Promise<ReloadOutcome>
  /** Call when a reload has put another Plan to use, before it says so; it throws nothing. */
  onReload(follow: () => Promise<void>): void
  /** @param deadlineMs for requests under way; the file's `drain` when not given */
  stop(deadlineMs?: number): Promise<void>
}

export type ReloadCounts = { ok: number; failed: number; lastGood: Date }

export type ReloadOutcome = {
  readonly at: Date
  readonly ok: boolean
  /** one sentence for people */
  readonly message: string
  readonly problems: readonly Problem[]
  readonly changes: Changes
}

export type StartOptions = {
  readonly source: ConfigSource
  readonly dev: boolean
  readonly log: Log
  /** gets each record, beside the file that `log.access` names */
  readonly accessLog?: (config: Config) => AccessLog | null
  readonly output?: (name: string, line: string) => void
}

/** Errors in the file: `problems` says all of them. */
export class ProblemsError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super('The file has errors.')
    this.problems = problems
  }
}

/** Read, plan and check, starting nothing. */
export async function planSource(source: ConfigSource, dev: boolean): Promise<Planned> {
  const machine = gatherFacts({ dev })
  const folder = 'file' in source ? dirname(resolve(source.file)) : resolve(source.folder)
  const loaded =
    'file' in source ? loadText(source.file, await readFile(source.file, 'utf8')) : loadObject(source.config)
  // A file with a million names takes seconds, and others of this thread shall have a turn meanwhile.
  await setImmediate()
  if (loaded.config === null)
    return { config: null, plan: null, problems: loaded.problems, facts: machine, folder }
  const certificates = await gatherCertificates(loaded.config.value.certificates.files, folder)
  const secrets = await gatherSecrets(secretFilesOf(loaded.config), folder)
  const paths = await gatherPaths(loaded.config.paths, folder)
  const facts = { ...machine, certificates, secrets, paths }
  const planned = plan(loaded.config, facts)
  await setImmediate()
  return {
    config: loaded.config,
    plan: planned.plan,
    problems: sortProblems([...loaded.problems, ...planned.problems]),
    facts,
    folder,
  }
}

/**
 * Start serving a file.
 *
 * @throws {ProblemsError} when the file has errors
 * @throws {Error} when a listener cannot be opened or state cannot be read
 */
export async function startPortico(options: StartOptions): Promise<Portico> {
  const { source, dev, log } = options
  // It takes as long to load as a large file takes to plan, and they have a core each.
  const loaded = loadWorker()
  const { first, front, stateFolder, release } = await startFront(options, loaded).catch(
    async (error: unknown) => {
      await loaded.terminate()
      throw error
    },
  )
  const { facts, folder } = first
  let lastReload = outcome(true, 'started', first.problems, changesBetween(null, front.plan))
  const reloads: ReloadCounts = { ok: 0, failed: 0, lastGood: lastReload.at }
  const followers: (() => Promise<void>)[] = []
  let queue: Promise<unknown> = Promise.resolve()
  front.dns.dnssec.watch(() => {
    const done = queue.then(async () => (await front.prepare(front.plan))())
    queue = done.catch(() => {})
    return done
  })

  async function reloadNow(): Promise<ReloadOutcome> {
    const next = await planSource(source, dev).catch((error: unknown) => whyUnread(error))
    if (typeof next === 'string') return outcome(false, `${next}, so nothing changed.`, [])
    if (next.plan === null || hasErrors(next.problems)) {
      return outcome(false, 'The file has errors, so nothing changed.', next.problems)
    }
    const changes = changesBetween(front.plan, next.plan)
    const later = atNextStart(front.plan, next.plan)
    if (next.plan.key === front.plan.key) return outcome(true, 'Nothing changed.', next.problems)
    try {
      const commit = await front.prepare(next.plan)
      commit()
      for (const follow of followers) await follow()
    } catch (error) {
      return outcome(
        false,
        `${error instanceof Error ? error.message : error} Nothing changed.`,
        next.problems,
      )
    }
    const { added, changed, removed } = changes
    const counts = `${added.length} added, ${changed.length} changed, ${removed.length} removed.`
    return outcome(true, [counts, ...later].join(' '), next.problems, changes)
  }

  return {
    front,
    facts,
    file: 'file' in source ? source.file : null,
    folder,
    stateFolder,
    startedAt: new Date(),
    reloads,
    get lastReload() {
      return lastReload
    },
    /** One after the other: two at once would prepare against the same running Plan. */
    reload() {
      const done = queue.then(async () => {
        lastReload = await reloadNow()
        reloads[lastReload.ok ? 'ok' : 'failed']++
        if (lastReload.ok) reloads.lastGood = lastReload.at
        log(lastReload.ok ? 'info' : 'error', 'reload', { message: lastReload.message })
        return lastReload
      })
      queue = done
      return done
    },
    onReload: (follow) => void followers.push(follow),
    async stop(deadlineMs = front.plan.http.limits.drainMs) {
      await queue
      await front.stop(deadlineMs)
      release()
    },
  }
}

async function startFront(
  { source, dev, log, accessLog, output = () => {} }: StartOptions,
  loaded: Worker,
): Promise<{ first: Planned; front: Front; stateFolder: string; release: () => void }> {
  const first = await planSource(source, dev)
  const { config, plan, problems, folder } = first
  if (config === null || plan === null || hasErrors(problems)) throw new ProblemsError(problems)
  const stateFolder = resolve(folder, config.value.state)
  const wish = accessLog?.(config) ?? null
  const release = lockState(stateFolder)
  try {
    const front = await createFront({ plan, folder, stateFolder, log, accessLog: wish, output, loaded })
    return { first, front, stateFolder, release }
  } catch (error) {
    release()
    throw error
  }
}

function whyUnread(error: unknown): string {
  return hasCode(error, 'ENOENT') ? 'The file is gone' : `The file cannot be read (${error})`
}

const NO_CHANGES: Changes = { added: [], removed: [], changed: [] }

function outcome(
  ok: boolean,
  message: string,
  problems: readonly Problem[],
  changes = NO_CHANGES,
): ReloadOutcome {
  return { at: new Date(), ok, message, problems, changes }
}
