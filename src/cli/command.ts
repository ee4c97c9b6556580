import { existsSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { nearest } from '#core/nearest.ts'

/** One command of `portico`. */
export type Command = {
  /** one word, or two when several commands share the first: `import zone` */
  readonly name: string
  /** one line for the list of commands */
  readonly summary: string
  /** what stands behind the name, such as `TARGET [--from IP]` */
  readonly usage: string
  readonly options: Readonly<Record<string, OptionDoc>>
  /** words that may follow; a larger number is wrong usage */
  readonly positionals?: {
    readonly min: number
    readonly max: number
    readonly are?: 'files' | readonly string[]
  }
  /** lines that can be pasted */
  readonly examples: readonly string[]
  /** @returns the exit code: 0 done, 1 it could not be done, 2 wrong usage */
  run(input: CommandInput): Promise<number>
}

export type OptionDoc = {
  readonly type: 'boolean' | 'string'
  readonly doc: string
  /** what the value is, such as `FILE` */
  readonly value?: string
  /** may stand several times */
  readonly multiple?: boolean
}

export type CommandInput = {
  readonly positionals: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>
}

/** Options that every command has. */
const commonOptions: Readonly<Record<'config' | 'help', OptionDoc>> = {
  config: {
    type: 'string',
    value: 'FILE',
    doc: 'The Portico file; portico.jsonc here or in a folder above when not given.',
  },
  help: { type: 'boolean', doc: 'Say how the command is used.' },
}

const SHORT: Readonly<Record<string, { readonly short: string }>> = {
  help: { short: 'h' },
  config: { short: 'c' },
}

/** Options of a command in the order of its help; `--config` only where its usage says so. */
export function allOptions({ options, usage }: Command): Readonly<Record<string, OptionDoc>> {
  const { config, help } = commonOptions
  return { ...options, ...(usage.includes('--config') ? { config } : {}), help }
}

/** Wrong usage: the message says what was given and what is wanted. */
export class UsageError extends Error {}

/**
 * Read the words behind a command's name.
 *
 * @throws {UsageError}
 */
export function parseCommand(command: Command, words: readonly string[]): CommandInput {
  const options: Readonly<Record<string, OptionDoc>> = { ...command.options, ...commonOptions }
  const config: ParseArgsConfig = {
    args: [...words],
    allowPositionals: true,
    options: Object.fromEntries(
      Object.entries(options).map(([name, { type, multiple = false }]) => {
        return [name, { type, multiple, ...SHORT[name] }]
      }),
    ),
  }
  try {
    const { values, positionals } = parseArgs(config)
    if (values['help'] !== true) checkCount(command, positionals)
    return { positionals, options: values as CommandInput['options'] }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(optionFault(error, options) ?? String(error))
  }
}

function checkCount(command: Command, words: readonly string[]): void {
  const { min, max } = command.positionals ?? { min: 0, max: 0 }
  if (words.length >= min && words.length <= max) return
  const surplus = words.slice(max).map((word) => `"${word}"`)
  const wanted = command.usage.split(' ').slice(words.length, min).join(' ')
  const fault = words.length < min ? `wants ${wanted}` : `has no use for ${surplus.join(' ')}`
  const file = words.slice(max).find((word) => /\.jsonc?$/.test(word))
  const hint = file === undefined ? '' : ` Another file is named so: --config ${file}`
  throw new UsageError(`"portico ${command.name}" ${fault}.${hint}`)
}

/** What parseArgs says of an option, in our words. */
function optionFault(error: unknown, options: Readonly<Record<string, OptionDoc>>): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { unknown, valued, flag } = OPTION_FAULT.exec(error.message)?.groups ?? {}
  if (valued !== undefined) return `--${valued} wants ${options[valued]?.value ?? 'a value'} behind it.`
  if (flag !== undefined) return `--${flag} takes no value.`
  if (unknown === undefined) return error.message
  const near = nearest(unknown, Object.keys(options))
  const written = unknown.length === 1 ? `-${unknown}` : `--${unknown}`
  return `There is no option ${written}${near === undefined ? '.' : `; did you mean --${near}?`}`
}

const OPTION_FAULT =
  /^Unknown option '--?(?<unknown>[^']+)'|^Option '(?:-\w, )?--(?<valued>\S+) <value>' argument|^Option '(?:-\w, )?--(?<flag>\S+)' does not take/

/**
 * Find the file that a command is about.
 *
 * @returns a path relative to this folder, as messages show it
 * @throws {UsageError} when there is none
 */
export function findConfig(input: CommandInput): string {
  const given = input.options['config']
  if (typeof given === 'string') {
    const found = statSync(given, { throwIfNoEntry: false })
    if (found === undefined) throw new UsageError(`There is no file ${given}.`)
    if (found.isDirectory()) throw new UsageError(`${given} is a folder; the Portico file is wanted.`)
    return given
  }
  for (let folder = resolve('.'); ; folder = dirname(folder)) {
    const file = join(folder, 'portico.jsonc')
    if (existsSync(file)) return relative('.', file)
    if (folder === dirname(folder)) break
  }
  throw new UsageError(
    'There is no portico.jsonc here or in a folder above. "portico init" writes one; --config FILE names another.',
  )
}

/** A text option, or undefined. */
export function textOption(input: CommandInput, name: string): string | undefined {
  const value = input.options[name]
  return typeof value === 'string' ? value : undefined
}

/** What an option that may stand several times was given. */
export function listOption(input: CommandInput, name: string): readonly string[] {
  const value = input.options[name]
  return Array.isArray(value) ? value : []
}

/** Whether a flag was given. */
export function flagOption(input: CommandInput, name: string): boolean {
  return input.options[name] === true
}
