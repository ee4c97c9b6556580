import { globSync, readFileSync, statSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import { type Command, flagOption } from '#cli/command.ts'
import { readGiven } from '#cli/given.ts'
import { importOptions, reportImport } from '#cli/import-report.ts'
import { printJson } from '#cli/print.ts'
import { importNginx } from '#config/nginx/import.ts'
import type { ResolveInclude } from '#config/nginx/include.ts'
import { printPorticoFile } from '#config/nginx/print.ts'
import { hasErrors } from '#core/problem.ts'

/** Make a Portico file of nginx configuration. */
export const importNginxCommand: Command = {
  name: 'import nginx',
  summary: 'Make a Portico file of nginx configuration.',
  usage: 'FILE [--output FILE] [--force] [--json]',
  options: importOptions,
  positionals: { min: 1, max: 1, are: 'files' },
  examples: ['portico import nginx /etc/nginx/nginx.conf --output portico.jsonc'],
  async run(input) {
    const file = input.positionals[0]!
    const imported = importNginx(readGiven(file), { file, resolve: findIncluded(file) })
    const { value, notes, problems } = imported
    if (flagOption(input, 'json')) {
      printJson({ file: value, notes, problems })
      return hasErrors(problems) ? 1 : 0
    }
    return reportImport(input, { text: printPorticoFile(value, notes), notes, problems })
  },
}

/** Where Debian and most others keep what nginx includes. */
const NGINX_FOLDER = '/etc/nginx'

/**
 * nginx takes a relative path from the folder of its main file. For a file of sites-enabled that is one above, and
 * for a copy taken elsewhere it is where nginx is installed.
 */
function findIncluded(file: string): ResolveInclude {
  const folder = dirname(resolve(file))
  return (pattern) => {
    for (const place of [folder, dirname(folder), NGINX_FOLDER]) {
      const found = globSync(pattern, { cwd: place }).map((path) => resolve(place, path))
      const files = found.filter(isFile).sort()
      if (files.length > 0)
        return files.map((path) => ({ file: shorter(path), text: readFileSync(path, 'utf8') }))
    }
    return []
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

function shorter(path: string): string {
  const near = relative('.', path)
  return near.length < path.length ? near : path
}
