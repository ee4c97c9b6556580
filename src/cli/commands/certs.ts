import { type Command, type CommandInput, flagOption, UsageError } from '#cli/command.ts'
import { paint, print, printJson, tableLines } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { plural } from '#core/units.ts'
import type { CertificateRow } from '#run/tls/certificate-rows.ts'

/** `portico certs` */
export const certsCommand: Command = {
  name: 'certs',
  summary: 'List certificates: who issued them, how long they last, what comes next; or renew one now.',
  usage: '[renew NAME | roll-keys] [--json] [--config FILE]',
  options: { json: { type: 'boolean', doc: 'Everything as JSON.' } },
  positionals: { min: 0, max: 2, are: ['renew', 'roll-keys'] },
  examples: ['portico certs', 'portico certs renew example.com', 'portico certs roll-keys'],
  async run(input) {
    const [what, name] = input.positionals
    if (what === undefined) return list(input)
    if (what === 'renew' && name !== undefined) return say(input, 'POST /certs/renew', { name })
    if (what === 'roll-keys' && name === undefined) return say(input, 'POST /certs/roll-keys', {})
    throw new UsageError(
      '"portico certs" lists; "portico certs renew NAME" and "portico certs roll-keys" do.',
    )
  },
}

async function say(input: CommandInput, what: string, query: Record<string, string>): Promise<number> {
  const said = (await requireRunning(input, what, query)) as { readonly message: string }
  print(said.message)
  return 0
}

async function list(input: CommandInput): Promise<number> {
  const rows = (await requireRunning(input, 'GET /certs')) as readonly CertificateRow[]
  if (flagOption(input, 'json')) printJson(rows)
  else printRows(rows)
  return rows.some(({ failure }) => failure !== null) ? 1 : 0
}

function printRows(rows: readonly CertificateRow[]): void {
  const cells = rows.map(({ names, keyType, issuer, notAfter, next }) => [
    keyType === 'rsa' ? `${names.join(' ')} (RSA)` : names.join(' '),
    issuer,
    left(notAfter),
    next,
  ])
  for (const line of tableLines([['NAMES', 'ISSUER', 'LEFT', 'NEXT'], ...cells])) print(line)
  for (const line of failureLines(rows)) print(line)
}

/** What went wrong last for each certificate, and what to do. */
export function failureLines(rows: readonly CertificateRow[]): string[] {
  return rows.flatMap(({ names, failure }) => {
    if (failure === null) return []
    const head = `${names.join(' ')}: ${failure.message}`
    return [paint('error', head), `  Fix: ${failure.fix}`]
  })
}

function left(notAfter: string | null): string {
  if (notAfter === null) return ''
  const minutes = Math.floor((Date.parse(notAfter) - Date.now()) / 60_000)
  if (minutes < 0) return 'ended'
  if (minutes < 120) return plural(minutes, 'minute')
  return minutes < 2880 ? plural(Math.floor(minutes / 60), 'hour') : plural(Math.floor(minutes / 1440), 'day')
}
