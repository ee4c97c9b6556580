import { posix } from 'node:path'
import type { NamedPath } from '#config/read.ts'
import type { Problem } from '#core/problem.ts'
import type { Across } from './across.ts'

/**
 * What the file names on disk. Nothing starts without a file; a folder may come later, and until then there is
 * nothing in it.
 */
export function checkPaths({ config, facts }: Across): Problem[] {
  const faults = new Map((facts.paths ?? []).map(({ kind, path, fault }) => [`${kind} ${path}`, fault]))
  return config.paths.flatMap((named): Problem[] => {
    const { kind, path, says, at } = named
    const fault = faults.get(`${kind} ${path}`)
    if (fault === undefined) return []
    const message = `${says} names ${path}, which ${fault}${posix.isAbsolute(path) ? '' : '; paths begin at the folder of this file'}.`
    return kind === 'folder'
      ? [{ level: 'warning', code: 'plan/folder-missing', at, message, fix: fixOf(named, fault) }]
      : [{ level: 'error', code: 'plan/file-missing', at, message, fix: fixOf(named, fault) }]
  })
}

function fixOf({ kind, path }: NamedPath, fault: string): string {
  if (fault.includes('may not'))
    return `chown or chmod "${path}", so that the user that Portico runs as may read it`
  if (kind === 'file') return 'the path of a file that is there'
  return `mkdir -p "${kind === 'folder' ? path : posix.dirname(path)}", or another path`
}
