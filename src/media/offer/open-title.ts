import { countFilm } from '#media/film.ts'
import type { Films } from '#media/films.ts'
import type { StreamPlan } from '#media/plan.ts'
import { openText } from '#media/segment/text.ts'
import { type Below, openSource } from '#media/source-file.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { folderOf, isFilm } from '#media/wire/media-path.ts'
import { folderGroupOf, type Group, groupOf } from './group.ts'
import type { Subtitles, Title, TitleFilm } from './offer.ts'

/** What stands in the folder of a path: `begin` is a path, decoded. Null where nothing can be listed. */
export type List = (begin: string, limit: number) => Promise<readonly string[] | null>

export type TitleOptions = { readonly plan: StreamPlan; readonly films: Films; readonly list: List }

/** Names that are looked at in one folder: a title has a few, and what else begins like it is passed over. */
const LIMIT_NAMES = 1000

/**
 * Open everything that is offered under one path. What cannot be offered is left out, as long as something can.
 *
 * @param asset path of a film, or of a folder, as sent
 * @throws {MediaFault} when there is nothing, or nothing that can be offered
 */
export async function openTitle(options: TitleOptions, below: Below, asset: string): Promise<Title> {
  const { folder, own, isFolder } = placeOf(asset)
  const group = await findGroup(options, { folder, own, isFolder })
  const opened = await Promise.allSettled(
    group.films.map(async ({ name, language }): Promise<TitleFilm> => {
      const isOwn = name === decodeName(own)
      const path = isOwn ? asset : folder + encodeURIComponent(name)
      const { film } = await options.films.current(below, path)
      await countFilm(film)
      const base = isOwn ? '' : `${isFolder ? '' : '../'}${encodeURIComponent(name)}/`
      return { film, base, language }
    }),
  )
  const films = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const [fault] = opened.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (films.length === 0) throw fault ?? new MediaFault('There is no such film', 404)
  const texts = await Promise.allSettled(
    group.subtitles.map(async ({ name, language, isForced }): Promise<Subtitles> => {
      const { tag } = await openText(below, folder + encodeURIComponent(name), options.plan.segmentMs)
      return { base: `${isFolder ? '' : '../'}${encodeURIComponent(name)}/`, tag, language, isForced }
    }),
  )
  return {
    films,
    subtitles: texts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
  }
}

/**
 * Find out whether there is something under a path, without looking into it: one file of the group is enough.
 *
 * @throws {MediaFault} when there is none
 */
export async function requireTitle(options: TitleOptions, below: Below, asset: string): Promise<void> {
  const { folder, own, isFolder } = placeOf(asset)
  const { films } = await findGroup(options, { folder, own, isFolder })
  let fault: unknown = new MediaFault('There is no such film', 404)
  for (const { name } of films) {
    try {
      await openSource(below, name === decodeName(own) ? asset : folder + encodeURIComponent(name))
      return
    } catch (error) {
      fault = error
    }
  }
  throw fault
}

function placeOf(asset: string): Parameters<typeof findGroup>[1] {
  const isFolder = !isFilm(asset)
  const folder = isFolder ? `${asset}/` : folderOf(asset)
  return { folder, own: asset.slice(folder.length), isFolder }
}

async function findGroup(
  { plan, list }: TitleOptions,
  { folder, own, isFolder }: { readonly folder: string; readonly own: string; readonly isFolder: boolean },
): Promise<Group> {
  const name = decodeName(own)
  if (plan.group === 'none' || name === null) return groupOf(own, [name ?? own])
  const stem = name.replace(/\.\w+$/, '')
  const names = await list(decodePath(folder) + stem, LIMIT_NAMES)
  if (isFolder) return folderGroupOf(names ?? [])
  const asked = [name, ...plan.names.map((more) => `${stem}.${more}`)]
  return groupOf(name, names ?? asked)
}

function decodePath(path: string): string {
  return decodeName(path) ?? path
}

/** Null for what is no UTF-8. */
export function decodeName(name: string): string | null {
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}
