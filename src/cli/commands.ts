import { checkCommand } from './check.ts'
import type { Command } from './command.ts'
import { explainCommand } from './explain.ts'
import { planCommand } from './plan.ts'
import { reloadCommand } from './reload.ts'
import { statusCommand } from './status.ts'
import { upCommand } from './up.ts'

/** Every command, in the order of the list that `--help` prints. */
export const commands: readonly Command[] = [
  upCommand,
  checkCommand,
  planCommand,
  explainCommand,
  statusCommand,
  reloadCommand,
]
