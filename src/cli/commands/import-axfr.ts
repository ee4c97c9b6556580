import { type Command, type CommandInput, flagOption, textOption, UsageError } from '#cli/command.ts'
import { readDomain, readGiven } from '#cli/given.ts'
import { importOptions, reportImport } from '#cli/import-report.ts'
import { printError, printJson } from '#cli/print.ts'
import { importZone } from '#config/zone/import.ts'
import { printZoneFile } from '#config/zone/print.ts'
import { fetchZone } from '#dns/transfer/fetch.ts'
import { parseServer } from '#dns/transfer/plan.ts'
import { ALGORITHMS, type Algorithm, type TsigKey } from '#dns/wire/tsig.ts'

/** Make a Portico file of a zone as another server has it. */
export const importAxfrCommand: Command = {
  name: 'import axfr',
  summary: 'Make a Portico file of a zone that another name server lets us copy (AXFR).',
  usage: 'SERVER ZONE [--key NAME --secret FILE] [--output FILE] [--force] [--json]',
  options: {
    key: {
      type: 'string',
      value: 'NAME',
      doc: 'Name of the key that signs (TSIG); "hmac-sha512:NAME" for another algorithm than hmac-sha256.',
    },
    secret: { type: 'string', value: 'FILE', doc: 'File with the secret of the key, in base64.' },
    ...importOptions,
  },
  positionals: { min: 2, max: 2 },
  examples: [
    'portico import axfr 192.0.2.1 example.com',
    'portico import axfr 192.0.2.1:5353 example.com --key transfer --secret transfer.key --output portico.jsonc',
  ],
  async run(input) {
    const [serverText, zoneText] = input.positionals as [string, string]
    const server = parseServer(serverText)
    if (server === undefined)
      throw new UsageError(`${serverText} is no server; "192.0.2.1" or "192.0.2.1:5353" is wanted.`)
    const apex = readDomain(zoneText)
    const received = await fetchZone(server, { apex, soa: null, key: readKey(input) })
    if (typeof received === 'string' || received.kind !== 'whole') {
      printError(`${apex.slice(0, -1)} was not copied from ${serverText}: ${received as string}.`)
      return 1
    }
    const lines = received.records.map(({ owner, ttl, type, data }) => `${owner} ${ttl} IN ${type} ${data}`)
    const soa = `${apex} ${received.soa.ttl} IN SOA ${received.soa.mname} ${received.soa.rname} ${received.serial} 1 1 1 1`
    const source = { file: serverText, domain: apex, guess: apex }
    const { value, notes, problems } = importZone([soa, ...lines].join('\n'), source)
    // The domain was given, so there is a value.
    if (!flagOption(input, 'json'))
      return reportImport(input, { text: printZoneFile(value!), notes, problems })
    printJson({ file: value, notes, problems })
    return 0
  },
}

function readKey(input: CommandInput): TsigKey | null {
  const written = textOption(input, 'key')
  const file = textOption(input, 'secret')
  if (written === undefined && file === undefined) return null
  if (written === undefined || file === undefined)
    throw new UsageError('--key and --secret stand together: a name, and the file of its secret.')
  const [, prefix = 'hmac-sha256', name] = /^(?:([^:]+):)?([^:]+)$/.exec(written) ?? []
  if (name === undefined || !Object.hasOwn(ALGORITHMS, prefix))
    throw new UsageError(
      `--key is ${written}; NAME or one of ${Object.keys(ALGORITHMS).join(', ')} and :NAME is wanted.`,
    )
  const secret = Buffer.from(readGiven(file).trim(), 'base64')
  return { name: readDomain(name), algorithm: prefix as Algorithm, secret }
}
