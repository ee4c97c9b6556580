import { writeFileSync } from 'node:fs'
import { ADMIN_DEFAULT, adminRoutes } from '#admin/routes.ts'
import { startAdmin } from '#admin/server.ts'
import { type Command, findConfig, flagOption } from '#cli/command.ts'
import { type ConsoleForm, consoleAccess, consoleLog } from '#cli/console.ts'
import { hostTable } from '#cli/host-table.ts'
import { serveMetrics } from '#cli/metrics-listener.ts'
import { countProblems, paint, print, printError, printProblems } from '#cli/print.ts'
import { hearStopWishes, type StopWishes } from '#cli/stop-wishes.ts'
import { tryLines } from '#cli/try-lines.ts'
import type { Config } from '#config/load.ts'
import type { Log } from '#core/log.ts'
import { printPosition } from '#core/problem.ts'
import { version } from '#core/version.ts'
import { originsOf } from '#http/plan.ts'
import type { AccessLog } from '#log/record.ts'
import { listenFailure } from '#run/listen/failure.ts'
import { holderOf } from '#run/listen/port-holder.ts'
import { createNotifier, type Notifier } from '#run/notify.ts'
import { type Portico, ProblemsError, startPortico } from '#run/portico.ts'
import { probeOrigins } from '#run/probe.ts'
import { hostRows } from '#run/status.ts'
import { watchCertificates } from '#run/tls/watch-certificates.ts'
import { watchFile } from '#run/watch.ts'

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
    let onHangup = (): void => {}
    const wishes = hearStopWishes(() => onHangup())
    nameProcess()
    // Before any program of the file is started: it takes what is meant for this process out of the environment.
    const notifier = createNotifier(process.env, ({ message }) =>
      printError(`The service manager was not told: ${message}`),
    )
    let form: ConsoleForm = 'readable'
    const log: Log = (level, event, fields) => consoleLog(form, level, event, fields)
    const portico = await startPortico({
      source: { file },
      dev,
      log,
      accessLog(config) {
        form = config.value.log.console
        return consoleAccessOf(config, dev)
      },
      output: (name, line) => print(`${paint('quiet', `${name} |`)} ${line}`),
    }).catch((error: unknown) => {
      if (!(error instanceof ProblemsError)) throw error
      printProblems(error.problems, printError)
      printError(`${file}: ${countProblems(error.problems)}; nothing was started.`)
      return null
    })
    if (portico === null) return 1
    onHangup = () => void reload(portico)
    await serve(portico, { file, dev, notifier, log }, wishes).finally(() => portico.stop(0))
    return 0
  },
}

/**
 * Let `ss`, `top` and `status --ports` say "portico", not the name that Node gives its first thread. The title
 * of the process would do that too, and hide the words that it was started with.
 */
function nameProcess(): void {
  try {
    writeFileSync('/proc/self/comm', 'portico')
  } catch {
    // Elsewhere than on Linux it keeps its name.
  }
}

type Serving = {
  readonly file: string
  readonly dev: boolean
  readonly notifier: Notifier
  readonly log: Log
}

/** Follow the file and answer the command line until somebody wishes it to stop. */
async function serve(
  portico: Portico,
  { file, dev, notifier, log }: Serving,
  wishes: StopWishes,
): Promise<void> {
  const admin = await openAdmin(portico)
  const metrics = await serveMetrics(portico, log)
  const endWatch = watchFile(file, () => void reload(portico))
  const endCertificates = watchCertificates(portico, () => void reload(portico))
  process.on('SIGUSR1', () => void portico.front.reopenLog())
  printProblems(portico.lastReload.problems, printError)
  await announce(portico, dev)
  notifier.ready(`serves ${file}`)
  await wishes.gently
  notifier.stopping()
  print('Stopping: requests under way may finish; once more ends them.')
  endWatch()
  endCertificates()
  await Promise.all([admin?.close(), metrics.close()])
  await Promise.race([portico.stop(), wishes.atOnce])
}

/** On a laptop, requests go to the terminal unless the file names another place. */
function consoleAccessOf({ value }: Config, dev: boolean): AccessLog | null {
  const { access, console } = value.log
  return access === undefined && dev && console !== 'off' ? consoleAccess(console) : null
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
  const { origins } = await portico.front.snapshot()
  const rows = hostRows(portico, origins, probed)
  for (const line of hostTable(rows)) print(line)
  const tries = tryLines(portico, rows)
  if (tries.length > 0) print(`\nTry:\n${tries.map((line) => `  ${line}`).join('\n')}`)
  const from = portico.front.plan.http.hosts[0]?.from
  const file = from === undefined ? portico.file : printPosition({ ...from, line: 0 })
  print(`\nChanges of ${file} are served when they are saved. Ctrl-C stops.\n`)
}
