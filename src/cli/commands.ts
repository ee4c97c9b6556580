import { cacheLsCommand } from '#cli/commands/cache-ls.ts'
import { cacheShowCommand } from '#cli/commands/cache-show.ts'
import { cacheWarmCommand } from '#cli/commands/cache-warm.ts'
import { certsCommand } from '#cli/commands/certs.ts'
import { checkCommand } from '#cli/commands/check.ts'
import { createCompletionCommand } from '#cli/commands/completion.ts'
import {
  dnssecDsCommand,
  dnssecRollCommand,
  dnssecStatusCommand,
  dnssecSubmittedCommand,
} from '#cli/commands/dnssec.ts'
import { doctorCommand } from '#cli/commands/doctor.ts'
import { explainCommand } from '#cli/commands/explain.ts'
import { exportZoneCommand } from '#cli/commands/export-zone.ts'
import { hashPasswordCommand } from '#cli/commands/hash-password.ts'
import { importAxfrCommand } from '#cli/commands/import-axfr.ts'
import { importNginxCommand } from '#cli/commands/import-nginx.ts'
import { importZoneCommand } from '#cli/commands/import-zone.ts'
import { initCommand } from '#cli/commands/init.ts'
import { installCommand } from '#cli/commands/install.ts'
import { planCommand } from '#cli/commands/plan.ts'
import { purgeCommand } from '#cli/commands/purge.ts'
import { reloadCommand } from '#cli/commands/reload.ts'
import { reopenLogCommand } from '#cli/commands/reopen-log.ts'
import { signCommand } from '#cli/commands/sign.ts'
import { statusCommand } from '#cli/commands/status.ts'
import { topCommand } from '#cli/commands/top.ts'
import { transcodeCommand } from '#cli/commands/transcode.ts'
import { transfersCommand } from '#cli/commands/transfers.ts'
import { trustCommand } from '#cli/commands/trust.ts'
import { upCommand } from '#cli/commands/up.ts'
import { nearest } from '#core/nearest.ts'
import type { Command } from './command.ts'
import type { CommandGroup } from './help.ts'

/** Every command by its purpose, in the order of the list that `--help` prints. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Begin', commands: [initCommand, importNginxCommand, importZoneCommand, importAxfrCommand] },
  { title: 'Look', commands: [checkCommand, planCommand, explainCommand, doctorCommand] },
  {
    title: 'Serve',
    commands: [
      upCommand,
      statusCommand,
      topCommand,
      transfersCommand,
      reloadCommand,
      reopenLogCommand,
      certsCommand,
      installCommand,
    ],
  },
  { title: 'Cache', commands: [purgeCommand, cacheLsCommand, cacheShowCommand, cacheWarmCommand] },
  {
    title: 'Sign',
    commands: [dnssecStatusCommand, dnssecDsCommand, dnssecRollCommand, dnssecSubmittedCommand],
  },
  {
    title: 'Around it',
    commands: [
      exportZoneCommand,
      trustCommand,
      hashPasswordCommand,
      signCommand,
      transcodeCommand,
      createCompletionCommand(() => commands),
    ],
  },
]

/** Every command. */
export const commands: readonly Command[] = commandGroups.flatMap(({ commands }) => commands)

/** What other programs call our commands. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  ...{ start: 'up', run: 'up', serve: 'up', restart: 'reload', service: 'install' },
  ...{
    validate: 'check',
    test: 'check',
    lint: 'check',
    configtest: 'check',
    adapt: 'import nginx',
    add: 'init',
  },
  ...{
    logs: 'top',
    ps: 'status',
    list: 'plan',
    why: 'explain',
    debug: 'explain',
    renew: 'certs',
    certificates: 'certs',
  },
}

/** The command that was probably meant by a word that is none. */
export function commandNear(written: string): string | undefined {
  return (
    ELSEWHERE[written] ??
    nearest(
      written,
      commands.map(({ name }) => name),
    )
  )
}
