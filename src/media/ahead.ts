import type { Handler, Request } from '#http/exchange.ts'
import { ask } from '#http/wire/ask.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { pathOf } from '#http/wire/path.ts'
import type { Cmcd } from './wire/cmcd.ts'
import { folderOf, parseMediaTarget } from './wire/media-path.ts'

/** Fetch: what is asked for ahead says so. */
const AHEAD = fieldsOf([['Sec-Purpose', 'prefetch']])

/**
 * The target of the segment that a player says it wants next (CMCD `nor`).
 *
 * @returns null when it says none, or none that lies in the folder of the film that it plays: nobody is sent elsewhere
 */
export function nextTarget({ next }: Cmcd, request: Pick<Request, 'target'>): string | null {
  const base = `http://host${pathOf(request.target)}`
  if (next === null || !URL.canParse(next, base)) return null
  const { pathname, host } = new URL(next, base)
  const target = parseMediaTarget(pathname, false)
  if (host !== 'host' || target?.part.kind !== 'segment') return null
  const own = parseMediaTarget(request.target, false)!.asset
  return folderOf(target.asset) === folderOf(own) ? pathname : null
}

/** Have a segment made and kept, for nobody yet. What is kept already costs a look. */
export function makeAhead(kept: Handler, request: Request, target: string): void {
  ask(
    kept,
    { ...request, method: 'GET', target, fields: AHEAD, body: null, lengthOctets: 0, upgrade: undefined },
    {
      informed() {},
      aborted() {},
      answered(_head, body) {
        // It is filled whoever reads it.
        body?.cancel('finished')
      },
    },
  )
}
