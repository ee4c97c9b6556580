import { parseDuration } from '#core/units.ts'
import { parseResolver } from '#run/dns/resolver.ts'
import type { LiveOptions } from '#run/doctor/live.ts'
import { type CommandInput, type OptionDoc, textOption, UsageError } from './command.ts'

const TIMEOUT = { initial: '10s', minMs: 100, maxMs: 120_000 }

/** Options of commands that ask the world. */
export const liveOptionDocs: Readonly<Record<'resolver' | 'timeout', OptionDoc>> = {
  resolver: {
    type: 'string',
    value: 'ADDRESS[:PORT]',
    doc: "The resolver that is asked; the system's own when not given.",
  },
  timeout: {
    type: 'string',
    value: 'TIME',
    doc: 'How long it may take to ask the world, such as 10s (the default).',
  },
}

/**
 * Read `--resolver` and `--timeout`.
 *
 * @throws {UsageError} when one of them cannot be read
 */
export function readLiveOptions(input: CommandInput): LiveOptions {
  const [written, time] = [textOption(input, 'resolver'), textOption(input, 'timeout')]
  const resolver = written === undefined ? undefined : parseResolver(written)
  if (written !== undefined && resolver === undefined)
    throw new UsageError(
      `--resolver is "${written}"; an address is wanted, such as 9.9.9.9 or [2620:fe::fe]:53.`,
    )
  const timeoutMs = parseDuration(time ?? TIMEOUT.initial)
  if (timeoutMs === undefined || timeoutMs < TIMEOUT.minMs || timeoutMs > TIMEOUT.maxMs)
    throw new UsageError(`--timeout is "${time}"; a time from 100ms to 2m is wanted, such as 10s.`)
  return { timeoutMs, ...(resolver === undefined ? {} : { resolver }) }
}
