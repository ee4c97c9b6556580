import { basename, dirname, relative, resolve } from 'node:path'
import { type Command, flagOption, textOption, UsageError } from '#cli/command.ts'
import { readDomain, readGiven } from '#cli/given.ts'
import { importOptions, reportImport } from '#cli/import-report.ts'
import { printError, printJson, printProblems } from '#cli/print.ts'
import { importZone } from '#config/zone/import.ts'
import { printZoneFile } from '#config/zone/print.ts'
import { hasErrors, type Position } from '#core/problem.ts'

/** Make a Portico file of a zone's master file. */
export const importZoneCommand: Command = {
  name: 'import zone',
  summary: 'Make a Portico file of a zone: a master file as BIND, Knot, NSD and DNS providers have it.',
  usage: 'FILE [--domain NAME] [--output FILE] [--force] [--json]',
  options: {
    domain: {
      type: 'string',
      value: 'NAME',
      doc: 'The domain; the owner of the SOA when not given, completed by the name of the file.',
    },
    ...importOptions,
  },
  positionals: { min: 1, max: 1, are: 'files' },
  examples: [
    'portico import zone example.com.zone',
    'portico import zone db.txt --domain example.com --output portico.jsonc',
  ],
  async run(input) {
    const file = input.positionals[0]!
    const written = textOption(input, 'domain')
    const domain = written === undefined ? {} : { domain: readDomain(written) }
    const { value, notes, problems } = importZone(readGiven(file), {
      file,
      include: includeFrom(dirname(resolve(file))),
      guess: guessDomain(file),
      ...domain,
    })
    if (value === null) {
      printProblems(problems, printError)
      throw new UsageError(`${file} does not say which domain it is about; --domain NAME does.`)
    }
    if (!flagOption(input, 'json'))
      return reportImport(input, { text: printZoneFile(value), notes, problems })
    printJson({ file: value, notes, problems })
    return hasErrors(problems) ? 1 : 0
  },
}

/** `example.com.zone`, `db.example.com`: the root where the file is called something else. */
function guessDomain(file: string): string {
  const bare = basename(file).replace(/^db\.|\.(zone|db|txt|hosts)$/g, '')
  return /^([\w-]+\.)+[a-z][a-z0-9-]+$/i.test(bare) ? `${bare.toLowerCase()}.` : '.'
}

/**
 * RFC 1035 §5.1 leaves open what a path is relative to: here, to the file that includes. A zone of somebody else must
 * not read files that lie elsewhere.
 */
function includeFrom(root: string) {
  return (path: string, from: Position): { file: string; text: string } | string => {
    const file = resolve(dirname(from.file), path)
    if (/^\.\.(\/|$)/.test(relative(root, file))) return `${path} is outside the folder ${root}`
    try {
      return { file, text: readGiven(file) }
    } catch (error) {
      return error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
    }
  }
}
