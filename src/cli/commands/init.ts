import { existsSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import {
  type Command,
  type CommandInput,
  flagOption,
  listOption,
  textOption,
  UsageError,
} from '#cli/command.ts'
import { readDomain, writeNew } from '#cli/given.ts'
import { type InitAnswers, type NamedService, printInitFile, readService } from '#cli/init-file.ts'
import { print, printError, printProblems } from '#cli/print.ts'
import { openQuestions, type Question, type Questions } from '#cli/questions.ts'
import { loadText } from '#config/load.ts'
import { hasErrors } from '#core/problem.ts'
import { plan } from '#plan/plan.ts'
import { gatherFacts } from '#run/facts.ts'

/** Ask what the domain is, and write its first file. */
export const initCommand: Command = {
  name: 'init',
  summary: 'Ask a few questions and write portico.jsonc.',
  usage:
    '[--yes] [--domain NAME] [--contact MAIL] [--address IP]… [--files FOLDER] [--service NAME=TARGET]… [--force] [--config FILE]',
  options: {
    yes: { type: 'boolean', doc: 'Ask nothing: what is not given here is left at its default.' },
    domain: { type: 'string', value: 'NAME', doc: 'The domain; example.com when not given.' },
    contact: { type: 'string', value: 'MAIL', doc: 'Mail address of whoever looks after it.' },
    address: {
      type: 'string',
      value: 'IP',
      multiple: true,
      doc: 'Public address of this machine; may stand several times.',
    },
    files: { type: 'string', value: 'FOLDER', doc: "Folder of the domain's own site." },
    service: {
      type: 'string',
      value: 'NAME=TARGET',
      multiple: true,
      doc: 'What answers under a name: a port, a URL, or a command to run; may stand several times.',
    },
    force: { type: 'boolean', doc: 'Replace the file if it stands already.' },
  },
  examples: [
    'portico init',
    'portico init --yes --domain example.com --service api=8081 --service "app=node server.js"',
  ],
  async run(input) {
    const file = textOption(input, 'config') ?? 'portico.jsonc'
    const force = flagOption(input, 'force')
    // Said before the first question, not after the last.
    if (!force && existsSync(file))
      throw new Error(`${file} stands already, and was left as it is. --force replaces it.`)
    const text = printInitFile(await gatherAnswers(input))
    const { config, problems } = loadText(file, text)
    const all =
      config === null ? problems : [...problems, ...plan(config, gatherFacts({ dev: false })).problems]
    printProblems(all, printError)
    if (hasErrors(all)) {
      printError('With these answers the file would have errors; nothing was written.')
      return 1
    }
    await writeNew(file, text, force)
    printNext(file, input)
    return 0
  },
}

async function gatherAnswers(input: CommandInput): Promise<InitAnswers> {
  const guessed = gatherFacts({ dev: false }).addresses
  const questions = flagOption(input, 'yes') ? null : openQuestions()
  const given = (name: string): string | undefined => textOption(input, name)
  try {
    const domain = await answer(questions, given('domain'), {
      text: 'Domain',
      initial: 'example.com',
      read: (line) => readDomain(line).slice(0, -1),
    })
    const contact = await answer(questions, given('contact'), {
      text: 'Mail address of whoever looks after it',
      initial: `admin@${domain}`,
      read: readContact,
    })
    const addresses = listOption(input, 'address')
    const address = await answer(questions, addresses.length > 0 ? addresses.join(' ') : undefined, {
      text: 'Public addresses of this machine',
      initial: guessed.join(' '),
      read: readAddresses,
    })
    const files = await answer(questions, given('files'), {
      text: `Folder with the site of ${domain}, if any`,
      initial: '',
      read: (line) => line,
    })
    const services = listOption(input, 'service').map(readServiceOrThrow)
    if (questions !== null && services.length === 0) services.push(...(await askServices(questions)))
    refuseTwice(services, files)
    return { domain, contact, address, files, services }
  } finally {
    questions?.close()
  }
}

/** The given word, else what is asked, else the default. */
async function answer<T>(
  questions: Questions | null,
  given: string | undefined,
  question: Question<T>,
): Promise<T> {
  if (given !== undefined) return question.read(given)
  return questions === null ? question.read(question.initial) : questions.ask(question)
}

/** More hosts than a person types. */
const MOST_SERVICES = 1000

async function askServices(questions: Questions): Promise<NamedService[]> {
  const services: NamedService[] = []
  const text = 'Service: NAME=PORT, NAME=URL or NAME=COMMAND; empty ends'
  while (services.length < MOST_SERVICES) {
    const read = (line: string): NamedService | null => {
      const service = line === '' ? null : readServiceOrThrow(line)
      if (service !== null) refuseTwice([...services, service], '')
      return service
    }
    const service = await questions.ask({ text, initial: '', read, atEnd: null })
    if (service === null) break
    services.push(service)
  }
  return services
}

function readContact(line: string): string {
  if (/^[^@\s]+@[^@\s]+$/.test(line)) return line
  throw new UsageError(`"${line}" is no mail address; one such as admin@example.com is wanted.`)
}

function readAddresses(line: string): string[] {
  const addresses = line.split(/[\s,]+/).filter((word) => word !== '')
  const fault = addresses.find((address) => isIP(address) === 0)
  if (fault === undefined) return addresses
  throw new UsageError(`"${fault}" is no address; one such as 203.0.113.10 or 2001:db8::10 is wanted.`)
}

function readServiceOrThrow(line: string): NamedService {
  const service = readService(line)
  if (typeof service === 'string') throw new UsageError(service)
  return service
}

function refuseTwice(services: readonly NamedService[], files: string): void {
  const hosts = [...(files === '' ? [] : ['@']), ...services.map(({ host }) => host)]
  const twice = hosts.find((host, i) => hosts.indexOf(host) !== i)
  if (twice !== undefined) throw new UsageError(`Two things would answer "${twice}"; one is wanted.`)
}

function printNext(file: string, input: CommandInput): void {
  const option = textOption(input, 'config') === undefined ? '' : ` --config ${file}`
  print(`${resolve(file)} is written. Next:`)
  print(`  portico check${option}      what is wrong in it, if anything`)
  print(`  portico up --dev${option}   serve it on this machine, under .localhost`)
  print(`  portico up${option}         serve it to the world: ports 53, 80 and 443`)
}
