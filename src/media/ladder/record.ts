import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import { readIfThere, replaceFile } from '#core/state-file.ts'

/** What stands of the renditions of a film: by name, what each was made of, and its length. */
type Record = {
  readonly made: Readonly<{ [name: string]: { readonly of: string; readonly octets: number } }>
}

/** The record of a film's renditions lies beside it, hidden; files and buckets do not serve it. */
function recordOf(film: string): string {
  return join(dirname(film), `.${basename(film)}.ladder`)
}

/** What a rendition is made of: another film, or other words for the encoder, give another one. */
export function originOf(film: { octets: number; modifiedMs: number }, words: readonly string[]): string {
  const text = `${film.octets}\n${film.modifiedMs}\n${words.join('\n')}`
  return createHash('sha256').update(text).digest('base64url').slice(0, 22)
}

/** What is known of a file that stands where a rendition is wanted. */
export type Standing = 'none' | 'ours' | 'outdated' | 'foreign'

/**
 * Whether a rendition need be made.
 *
 * @param octets of the file that stands there; null when there is none
 */
export async function standingOf(
  film: string,
  name: string,
  of: string,
  octets: number | null,
): Promise<Standing> {
  if (octets === null) return 'none'
  const made = (await readRecord(film)).made[name]
  if (made?.octets !== octets) return 'foreign'
  return made.of === of ? 'ours' : 'outdated'
}

/** Note what is about to stand there: said before, so that a crash between leaves no file that nobody knows. */
export async function noteMade(film: string, name: string, of: string, octets: number): Promise<void> {
  const { made } = await readRecord(film)
  await replaceFile(recordOf(film), JSON.stringify({ made: { ...made, [name]: { of, octets } } }), 0o644)
}

async function readRecord(film: string): Promise<Record> {
  const text = await readIfThere(recordOf(film))
  if (text === null) return { made: {} }
  try {
    const { made } = JSON.parse(text) as Partial<Record>
    return { made: made ?? {} }
  } catch {
    // What cannot be read says nothing: files that stand are somebody's.
    return { made: {} }
  }
}
