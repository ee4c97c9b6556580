import { cacheLsCommand } from './cache-ls.ts'
import { cacheShowCommand } from './cache-show.ts'
import { cacheWarmCommand } from './cache-warm.ts'
import { certsCommand } from './certs.ts'
import { checkCommand } from './check.ts'
import type { Command } from './command.ts'
import { createCompletionCommand } from './completion.ts'
import { dnssecDsCommand, dnssecRollCommand, dnssecStatusCommand, dnssecSubmittedCommand } from './dnssec.ts'
import { doctorCommand } from './doctor.ts'
import { explainCommand } from './explain.ts'
import { exportZoneCommand } from './export-zone.ts'
import { hashPasswordCommand } from './hash-password.ts'
import type { CommandGroup } from './help.ts'
import { importAxfrCommand } from './import-axfr.ts'
import { importNginxCommand } from './import-nginx.ts'
import { importZoneCommand } from './import-zone.ts'
import { initCommand } from './init.ts'
import { installCommand } from './install.ts'
import { planCommand } from './plan.ts'
import { purgeCommand } from './purge.ts'
import { reloadCommand } from './reload.ts'
import { reopenLogCommand } from './reopen-log.ts'
import { signCommand } from './sign.ts'
import { statusCommand } from './status.ts'
import { topCommand } from './top.ts'
import { transcodeCommand } from './transcode.ts'
import { transfersCommand } from './transfers.ts'
import { trustCommand } from './trust.ts'
import { upCommand } from './up.ts'

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
