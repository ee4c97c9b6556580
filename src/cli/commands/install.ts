import { execFile } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import {
  type Command,
  type CommandInput,
  findConfig,
  flagOption,
  textOption,
  UsageError,
} from '#cli/command.ts'
import { paint, print, printError, printProblems } from '#cli/print.ts'
import { openQuestions } from '#cli/questions.ts'
import { hasErrors } from '#core/problem.ts'
import type { AccessLogConfig } from '#log/config.ts'
import { type Planned, planSource } from '#run/portico.ts'
import { type Installation, planInstallation } from '#run/unit.ts'

/** `portico install` */
export const installCommand: Command = {
  name: 'install',
  summary: 'Make the file a service of this machine: a systemd unit with a user of its own.',
  usage: '[--print | --yes] [--user NAME] [--root FOLDER] [--config FILE]',
  options: {
    print: { type: 'boolean', doc: 'Only show what would be written and run.' },
    yes: { type: 'boolean', doc: 'Do not ask.' },
    user: {
      type: 'string',
      value: 'NAME',
      doc: 'The user and the service are called so; portico when not given.',
    },
    root: {
      type: 'string',
      value: 'FOLDER',
      doc: 'Write below this folder and run nothing: for images and packages.',
    },
  },
  examples: ['portico install --print', 'sudo portico install'],
  async run(input) {
    const planned = await planSource({ file: findConfig(input) }, false)
    if (hasErrors(planned.problems)) {
      printProblems(planned.problems, printError)
      printError('The file has errors; a service of it would not start.')
      return 1
    }
    const installation = installationOf(input, planned)
    const root = textOption(input, 'root')
    printInstallation(installation, root ?? '')
    await warnOfUnreadable(resolve(findConfig(input)))
    if (flagOption(input, 'print')) return 0
    if (root === undefined) {
      const refusal = refuse()
      if (refusal !== undefined) {
        printError(refusal)
        return 1
      }
    }
    if (!flagOption(input, 'yes') && !(await agree())) {
      print('Nothing was written.')
      return 1
    }
    await carryOut(installation, root)
    return 0
  },
}

const NAME = /^[a-z_][a-z0-9_-]{0,30}$/

function installationOf(input: CommandInput, { plan, config, folder }: Planned): Installation {
  const name = textOption(input, 'user') ?? 'portico'
  if (!NAME.test(name))
    throw new UsageError(`--user is "${name}"; a name of small letters, digits, "-" and "_" is wanted.`)
  const { state, log } = config!.value
  return planInstallation({
    plan: plan!,
    name,
    node: process.execPath,
    script: realpathSync(process.argv[1]!),
    file: resolve(findConfig(input)),
    folder,
    stateFolder: resolve(folder, state),
    accessLog: logFileOf(log.access, folder),
    hasIpv6: existsSync('/proc/net/if_inet6'),
  })
}

function printInstallation({ files, commands }: Installation, root: string): void {
  for (const { path, text } of files) print(`${paint('strong', `# ${join(root, path)}`)}\n${text}`)
  if (root === '') for (const words of commands) print(`${paint('strong', '$')} ${words.join(' ')}`)
}

/** The service's user reads the file as everyone may: a folder that is closed to others ends the start. */
async function warnOfUnreadable(file: string): Promise<void> {
  for (const path of [file, process.execPath, realpathSync(process.argv[1]!)]) {
    for (let at = path; ; at = dirname(at)) {
      const wanted = at === path ? 0o4 : 0o1
      const { mode } = await stat(at)
      if ((mode & wanted) === 0) {
        printError(
          `${paint('warning', 'warning', process.stderr)}: the service needs ${path}, and others may not ${at === path ? 'read' : 'enter'} ${at}.`,
        )
        break
      }
      if (at === dirname(at)) break
    }
  }
}

function refuse(): string | undefined {
  if (!existsSync('/run/systemd/system'))
    return 'systemd does not run this machine. --print shows the units; --root FOLDER writes them elsewhere.'
  if (process.getuid?.() !== 0) return 'Only root may do this: sudo portico install'
  return undefined
}

async function agree(): Promise<boolean> {
  const questions = openQuestions()
  const text = 'Write these files and run these commands? (yes or no)'
  const answer = await questions.ask({
    text,
    initial: 'no',
    read: (line) => /^y(es)?$/i.test(line),
    atEnd: false,
  })
  questions.close()
  return answer
}

async function carryOut({ files, commands }: Installation, root: string | undefined): Promise<void> {
  for (const { path, text } of files) {
    const target = join(root ?? '', path)
    await mkdir(dirname(target), { recursive: true })
    await writeFile(target, text, { mode: 0o644 })
    print(`wrote ${target}`)
  }
  if (root !== undefined) return
  for (const [program, ...words] of commands) {
    await promisify(execFile)(program!, words)
    print(`ran ${[program, ...words].join(' ')}`)
  }
}

function logFileOf(access: AccessLogConfig | undefined, folder: string): string | null {
  return access === undefined ? null : resolve(folder, typeof access === 'string' ? access : access.file)
}
