import { resolve } from 'node:path'
import { ADMIN_DEFAULT, adminRoutes } from '#admin/routes.ts'
import { startAdmin } from '#admin/server.ts'
import type { Config } from '#config/load.ts'
import { printPosition } from '#core/problem.ts'
import { type AccessLog, fileAccessLog } from '#run/access-log.ts'
import { originsOf } from '#run/front.ts'
import { listenFailure } from '#run/listeners.ts'
import { holderOf } from '#run/port-holder.ts'
import { type Portico, ProblemsError, startPortico } from '#run/portico.ts'
import { probeOrigins } from '#run/probe.ts'
import { hostRows } from '#run/status.ts'
import { watchCertificates, watchFile } from '#run/watch.ts'
import { type Command, findConfig, flagOption } from './command.ts'
import { type ConsoleForm, consoleAccess, consoleLog } from './console.ts'
import { hostTable } from './host-table.ts'
import { countProblems, paint, print, printError, printProblems } from './print.ts'
import { hearStopWishes, type StopWishes } from './stop-wishes.ts'
import { tryLines } from './try-lines.ts'
import { version } from './version.ts'

/** `portico up` */
export const upCommand: Command = {
  name: 'up',
  summary: 'Serve the file: names, certificates, hosts; and follow its changes.',
  usage: '[--dev] [--config FILE]',
  options: {
    dev: {
      type: 'boolean',
      doc: 'On a laptop: loopback, DNS 5300, HTTP 8080, HTTPS 8443, and every host under .localhost too.',
    },
  },
  examples: ['portico up', 'portico up --dev --config examples/subdomains/portico.jsonc'],
  async run(input) {
    const file = findConfig(input)
    const dev = flagOption(input, 'dev')
    const wishes = hearStopWishes()
    let form: ConsoleForm = 'readable'
    const portico = await startPortico({
      source: { file },
      dev,
      log: (level, event, fields) => consoleLog(form, level, event, fields),
      accessLog(config, folder) {
        form = config.value.log.console
        return accessLogOf(config, folder, dev)
      },
      output: (name, line) => print(`${paint('quiet', `${name} |`)} ${line}`),
    }).catch((error: unknown) => {
      if (!(error instanceof ProblemsError)) throw error
      printProblems(error.problems, printError)
      printError(`${file}: ${countProblems(error.problems)}; nothing was started.`)
      return null
    })
    if (portico === null) return 1
    await serve(portico, { file, dev }, wishes).finally(() => portico.stop(0))
    return 0
  },
}

/** Follow the file and answer the command line until somebody wishes it to stop. */
async function serve(
  portico: Portico,
  { file, dev }: { readonly file: string; readonly dev: boolean },
  wishes: StopWishes,
): Promise<void> {
  const admin = await openAdmin(portico)
  const endWatch = watchFile(file, () => void reload(portico))
  const endCertificates = watchCertificates(portico, () => void reload(portico))
  process.on('SIGHUP', () => void reload(portico))
  printProblems(portico.lastReload.problems, printError)
  await announce(portico, dev)
  await wishes.gently
  print('Stopping: requests under way may finish; once more ends them.')
  endWatch()
  endCertificates()
  await admin?.close()
  await Promise.race([portico.stop(), wishes.atOnce])
}

/** Requests go to the file that was named, and on a laptop to the terminal; where nobody reads them they cost nothing. */
function accessLogOf({ value }: Config, folder: string, dev: boolean): AccessLog | null {
  const { access, console } = value.log
  if (access === undefined) return dev && console !== 'off' ? consoleAccess(console) : null
  const path = resolve(folder, access)
  const { write } = fileAccessLog(path, (error) =>
    printError(`Cannot write the access log ${path}: ${error.message}`),
  )
  return write
}

async function openAdmin(portico: Portico): Promise<Awaited<ReturnType<typeof startAdmin>> | null> {
  const listener = portico.front.plan.listeners.find(({ protocol }) => protocol === 'admin')
  if (listener === undefined) return null
  const { address, port } = listener
  return startAdmin({
    host: address,
    port,
    mayMove: port === ADMIN_DEFAULT,
    stateFolder: portico.stateFolder,
    routes: adminRoutes(portico),
  }).catch(async (error: unknown) => {
    const isTaken = error instanceof Error && 'syscall' in error && error.syscall === 'listen'
    throw isTaken ? await listenFailure(error, listener, holderOf) : error
  })
}

async function reload(portico: Portico): Promise<void> {
  const outcome = await portico.reload()
  printProblems(outcome.problems, printError)
}

async function announce(portico: Portico, dev: boolean): Promise<void> {
  const probed = await probeOrigins(originsOf(portico.front.plan.http))
  const mode = dev ? ' for development: this machine only' : ''
  print(`\n${paint('strong', `Portico ${version()}`)} is up${mode}\n`)
  for (const line of hostTable(hostRows(portico, probed))) print(line)
  const tries = tryLines(portico)
  if (tries.length > 0) print(`\nTry:\n${tries.map((line) => `  ${line}`).join('\n')}`)
  const from = portico.front.plan.http.hosts[0]?.from
  const file = from === undefined ? portico.file : printPosition({ ...from, line: 0 })
  print(`\nChanges of ${file} are served when they are saved. Ctrl-C stops.\n`)
}
