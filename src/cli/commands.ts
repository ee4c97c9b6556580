import { checkCommand } from './check.ts'
import type { Command } from './command.ts'
import { explainCommand } from './explain.ts'
import type { CommandGroup } from './help.ts'
import { importNginxCommand } from './import-nginx.ts'
import { planCommand } from './plan.ts'
import { reloadCommand } from './reload.ts'
import { statusCommand } from './status.ts'
import { upCommand } from './up.ts'

/** Every command by its purpose, in the order of the list that `--help` prints. */
export const commandGroups: readonly CommandGroup[] = [
  { title: 'Begin', commands: [importNginxCommand] },
  { title: 'Look', commands: [checkCommand, planCommand, explainCommand] },
  { title: 'Serve', commands: [upCommand, statusCommand, reloadCommand] },
]

/** Every command. */
export const commands: readonly Command[] = commandGroups.flatMap(({ commands }) => commands)
