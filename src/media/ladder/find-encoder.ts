import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

type NodeAv = { isFfmpegAvailable(): boolean; ffmpegPath(): string }

/** A package with an ffmpeg of its own; nobody need have it. */
const NODE_AV = 'node-av/ffmpeg'

/** Start a program so that it ends with us, however we end; util-linux has it. */
const TIED: readonly string[] = ['setpriv', '--pdeathsig', 'KILL']

/**
 * Find an ffmpeg: that of the package node-av where it is installed, else the one on PATH.
 *
 * @param path folders, as the environment has them
 * @returns the words that start it; null when there is none
 */
export async function findEncoder(path: string): Promise<readonly string[] | null> {
  const carried = (await import(NODE_AV).catch(() => null)) as NodeAv | null
  const encoder = carried?.isFfmpegAvailable() ? carried.ffmpegPath() : await find('ffmpeg', path)
  if (encoder === null) return null
  return (await find(TIED[0]!, path)) === null ? [encoder] : [...TIED, encoder]
}

async function find(name: string, path: string): Promise<string | null> {
  for (const folder of path.split(delimiter).filter((folder) => folder !== '')) {
    const file = join(folder, name)
    if (await isExecutable(file)) return file
  }
  return null
}

function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  )
}
