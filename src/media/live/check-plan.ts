import { SECRET_FAULTS, type SecretFact } from '#bucket/plan.ts'
import type { Position, Problem } from '#core/problem.ts'
import { formatDuration } from '#core/units.ts'
import type { LiveConfig } from './config.ts'
import { isStreamName } from './folder.ts'

/** Live streams of the file. */
export type CheckedLive = {
  readonly live: LiveConfig
  /** what the files of secrets are like; absent: nobody has looked */
  readonly secrets: readonly SecretFact[] | undefined
  /** position of a part of the option */
  readonly at: (...option: readonly string[]) => Position
}

/** What the settings table cannot tell of live streams. */
export function checkLive({ live, secrets, at }: CheckedLive): Problem[] {
  if (typeof live === 'string') return []
  const { key, sources = {}, part = 400, segment = 4000, window } = live
  const problems: Problem[] = []
  const fault = secrets?.find(({ file }) => file === key)?.fault
  if (key !== undefined && fault != null) {
    const message = `No encoder could publish: ${key} ${SECRET_FAULTS[fault]}.`
    const fix = `umask 077; openssl rand -hex 16 > ${key}`
    problems.push({ level: 'error', code: 'live/key-file', at: at('key'), message, fix })
  }
  if (2 * part > segment) {
    const message = `Parts of ${formatDuration(part)} do not fit twice into segments of ${formatDuration(segment)}: viewers would wait for whole segments.`
    const fix = `"part": "${formatDuration(Math.max(300, Math.floor(segment / 1000) * 100))}"`
    problems.push({ level: 'warning', code: 'live/long-parts', at: at('part'), message, fix })
  }
  if (window !== undefined && window < 3 * segment) {
    const message = `A window of ${formatDuration(window)} has fewer than three segments of ${formatDuration(segment)}, which players need (RFC 8216bis §6.2.2).`
    const fix = `"window": "${formatDuration(10 * segment)}"`
    problems.push({ level: 'warning', code: 'live/short-window', at: at('window'), message, fix })
  }
  for (const name of Object.keys(sources)) {
    if (isStreamName(name)) continue
    const message = `"${name}" can be no stream: a name is up to four words of letters, digits, ".", "-" and "_", with "/" between them.`
    problems.push({
      level: 'error',
      code: 'live/source-name',
      at: at('sources', name),
      message,
      fix: '"studio"',
    })
  }
  return problems
}
