import { resolve } from 'node:path'
import { silent } from '#core/log.ts'
import type { Position } from '#core/problem.ts'
import { formatSize } from '#core/units.ts'
import { Finder, type Found } from '#files/find.ts'
import { closeResource } from '#files/representation.ts'
import { compileRoutes, route } from '#http/route.ts'
import { rewrite } from '#http/transform/rewrite.ts'
import { pathOf } from '#http/wire/path.ts'
import { reasonPhrase } from '#http/wire/status.ts'
import { parseMediaTarget } from '#media/wire/media-path.ts'
import type { Plan } from '#plan/plan.ts'
import { hostOfUrl, type Question, urlOf } from './question.ts'
import { fault, type Step, step } from './step.ts'

/** What a request for a file meets on disk now. */
export type SeenFile = (at: Position) => Step

/**
 * Look on disk as a request would.
 *
 * @param folder where relative paths of the file begin
 * @returns null where no file is asked for
 */
export async function seeFile(question: Question, plan: Plan, folder: string): Promise<SeenFile | null> {
  if (question.kind === 'record') return null
  const url = urlOf(question, plan)
  const target = `${url.pathname}${url.search}`
  const found = route(compileRoutes(plan.http.hosts), hostOfUrl(url), target).route
  if (found?.action.kind !== 'files') return null
  const { stream, transform, action } = found
  if (stream !== undefined && parseMediaTarget(url.pathname, stream.group === 'folder') !== null) return null
  const sought = transform?.rewrite == null ? target : rewrite(transform.rewrite, target)
  const finder = new Finder({ ...action, root: resolve(folder, action.root) }, silent)
  const answer = await finder.find(sought, Date.now())
  return (at) => explainFound(answer, `${action.root}${pathOf(sought)}`, at)
}

function explainFound(found: Found, path: string, at: Position): Step {
  if ('fault' in found)
    return fault('file', `${found.status} ${reasonPhrase(found.status)}: ${found.detail}`, path, at)
  if ('to' in found) return step('file', `${found.status} to ${found.to}`, path, at)
  if ('listing' in found) return step('file', 'a list of the folder', path, at)
  closeResource(found)
  const { lengthOctets, mediaType, lastModifiedMs } = found.plain
  const beside = found.compressed.map(({ coding }) => coding).join(', ')
  const says = `${mediaType}, ${formatSize(lengthOctets)}, changed ${new Date(lastModifiedMs).toISOString()}`
  return step('file', says, beside === '' ? path : `${path}; compressed beside it: ${beside}`, at)
}
