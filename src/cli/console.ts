import type { LogLevel, LogValue } from '#core/log.ts'
import { formatSize } from '#core/units.ts'
import type { AccessLog } from '#log/record.ts'
import { paint, printError } from './print.ts'

export type ConsoleForm = 'readable' | 'json' | 'off'

/** Say an event on the terminal, on stderr; details for developers of Portico only when PORTICO_DEBUG is set. */
export function consoleLog(
  form: ConsoleForm,
  level: LogLevel,
  event: string,
  fields: Readonly<Record<string, LogValue>> = {},
): void {
  if (form === 'off' || (level === 'debug' && process.env['PORTICO_DEBUG'] === undefined)) return
  if (form === 'json') {
    printError(JSON.stringify({ time: new Date().toISOString(), level, event, ...fields }))
    return
  }
  const details = Object.entries(fields).map(
    ([name, value]) =>
      `${name}=${typeof value === 'string' && /\s/.test(value) ? JSON.stringify(value) : value}`,
  )
  const style = level === 'error' || level === 'warning' ? level : 'quiet'
  printError(`${clock()} ${paint(style, event, process.stderr)} ${details.join(' ')}`.trimEnd())
}

/** Say each request on the terminal. */
export function consoleAccess(form: ConsoleForm): AccessLog {
  if (form === 'json') return (record) => printError(JSON.stringify(record))
  return ({ method, scheme, host, target, status, sentOctets, durationMs, answeredBy, end }) => {
    const style = status >= 500 || status === 0 ? 'error' : status >= 400 ? 'warning' : 'good'
    const ended = end === 'finished' ? '' : ` (${end})`
    const what = `${method} ${scheme}://${host}${target}`
    printError(
      `${clock()} ${paint(style, String(status), process.stderr)} ${what} ${formatSize(sentOctets)} in ${durationMs.toFixed(1)} ms from ${answeredBy}${ended}`,
    )
  }
}

function clock(): string {
  return paint('quiet', new Date().toTimeString().slice(0, 8), process.stderr)
}
