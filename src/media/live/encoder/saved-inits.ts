import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Lies beside the broadcasts of a stream; no name of a stream begins so. */
const FOLDER = '.inits'
/** Some hundred octets are usual. */
const LIMIT_OCTETS = 2 ** 20
const LIMIT_FILES = 64

/**
 * Keep what an encoder sent before its segments: it says it once, and goes on when the worker that took it, or all of
 * Portico, has died.
 *
 * @param input name of what it belongs to, of the characters that names of files have
 */
export async function saveInit(root: string, stream: string, input: string, octets: Buffer): Promise<void> {
  if (octets.length > LIMIT_OCTETS) return
  const folder = folderOf(root, stream)
  await mkdir(folder, { recursive: true })
  const path = join(folder, `${input}.mp4`)
  await writeFile(`${path}.part`, octets)
  await rename(`${path}.part`, path)
}

/** All that was kept of a stream. */
export async function readInits(
  root: string,
  stream: string,
): Promise<{ readonly input: string; readonly octets: Buffer }[]> {
  const folder = folderOf(root, stream)
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith('.mp4'))
  return Promise.all(
    names.slice(0, LIMIT_FILES).map(async (name) => {
      return { input: name.slice(0, -'.mp4'.length), octets: await readFile(join(folder, name)) }
    }),
  )
}

/** Nothing is left of a stream. */
export function forgetInits(root: string, stream: string): Promise<void> {
  return rm(folderOf(root, stream), { recursive: true, force: true })
}

function folderOf(root: string, stream: string): string {
  return join(root, ...stream.split('/'), FOLDER)
}
