import { resolve } from 'node:path'
import { askPortico } from '#admin/client.ts'
import { type Command, type CommandInput, findConfig, flagOption, UsageError } from '#cli/command.ts'
import { readDomain } from '#cli/given.ts'
import { print, printError, printJson } from '#cli/print.ts'
import { requireRunning } from '#cli/running.ts'
import { readDnssec } from '#run/dns/dnssec.ts'
import { type DnssecStatus, dnssecStatus } from '#run/dns/dnssec-status.ts'
import { planSource } from '#run/portico.ts'

const json = { json: { type: 'boolean', doc: 'The same as JSON.' } } as const

/** `portico dnssec status` */
export const dnssecStatusCommand: Command = {
  name: 'dnssec status',
  summary: 'Say which domains are signed, with which keys, and what happens next.',
  usage: '[DOMAIN] [--json] [--config FILE]',
  options: json,
  positionals: { min: 0, max: 1 },
  examples: ['portico dnssec status'],
  async run(input) {
    const [domain] = input.positionals
    const rows = await statusOf(input)
    const shown = domain === undefined ? rows : [pick(rows, domain)]
    if (flagOption(input, 'json')) printJson(shown)
    else shown.forEach(printStatus)
    return 0
  },
}

/** `portico dnssec ds` */
export const dnssecDsCommand: Command = {
  name: 'dnssec ds',
  summary: 'Print the DS records of a domain, which the registrar puts into the zone above.',
  usage: 'DOMAIN [--json] [--config FILE]',
  options: json,
  positionals: { min: 1, max: 1 },
  examples: ['portico dnssec ds example.com'],
  async run(input) {
    const status = pick(await statusOf(input), input.positionals[0]!)
    const { domain, phase, wanted, until, says } = status
    if (flagOption(input, 'json')) printJson({ domain, phase, ds: wanted, until, says })
    else for (const ds of wanted ?? []) print(`${domain}. IN DS ${ds}`)
    if (wanted !== null && wanted.length > 0) return 0
    printError(`${domain}: ${says}.`)
    return 1
  },
}

/** `portico dnssec roll` */
export const dnssecRollCommand: Command = {
  name: 'dnssec roll',
  summary: 'Begin to replace the key of a signed domain; caches and the DS are waited for.',
  usage: 'DOMAIN [--config FILE]',
  options: {},
  positionals: { min: 1, max: 1 },
  examples: ['portico dnssec roll example.com'],
  run: (input) => tell(input, 'roll'),
}

/** `portico dnssec submitted` */
export const dnssecSubmittedCommand: Command = {
  name: 'dnssec submitted',
  summary: 'Say that the registrar has changed the DS, or removed it, where Portico cannot see that itself.',
  usage: 'DOMAIN [--config FILE]',
  options: {},
  positionals: { min: 1, max: 1 },
  examples: ['portico dnssec submitted example.com'],
  run: (input) => tell(input, 'submitted'),
}

async function tell(input: CommandInput, command: string): Promise<number> {
  const domain = readDomain(input.positionals[0]!).slice(0, -1)
  const said = (await requireRunning(input, `POST /dnssec/${command}`, { domain })) as DnssecStatus
  printStatus(said)
  return 0
}

/** As the running Portico says, else as state says. */
async function statusOf(input: CommandInput): Promise<readonly DnssecStatus[]> {
  const { plan, config, folder } = await planSource({ file: findConfig(input) }, false)
  const stateFolder = resolve(folder, config?.value.state ?? 'state')
  const running = (await askPortico(stateFolder, 'GET /dnssec')) as DnssecStatus[] | null
  return running ?? dnssecStatus(plan?.dns.zones ?? [], await readDnssec(stateFolder))
}

function pick(rows: readonly DnssecStatus[], written: string): DnssecStatus {
  const domain = readDomain(written).slice(0, -1)
  const row = rows.find((one) => one.domain === domain)
  if (row !== undefined) return row
  throw new UsageError(
    `${domain} is no domain of the file; it has ${rows.map((one) => one.domain).join(', ')}.`,
  )
}

function printStatus({ domain, keys, says }: DnssecStatus): void {
  print(`${domain}: ${says}`)
  for (const { tag, algorithm, createdAt, signs } of keys)
    print(
      `  key ${tag}, algorithm ${algorithm}, made ${createdAt.slice(0, 10)}, signs ${signs === 'keys' ? 'the keys only' : signs}`,
    )
}
