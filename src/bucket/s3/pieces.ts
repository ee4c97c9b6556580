import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { About } from '#bucket/store/change.ts'
import type { Finished } from '#bucket/store/draft.ts'
import { Fault } from '#bucket/wire/body.ts'

/** An upload whose parts come one by one, as S3 clients send large objects: a folder with a file for each part. */
export type PiecesInfo = {
  readonly key: string
  readonly declared: string | null
  readonly about: About
}

export type Piece = {
  readonly number: number
  readonly sha256: string
  readonly path: string
  readonly octets: number
}

/** Begin an upload. */
export async function createPieces(uploads: string, id: string, info: PiecesInfo): Promise<void> {
  const folder = join(uploads, id)
  const draft = `${folder}.draft`
  await mkdir(draft)
  await writeFile(join(draft, 'pieces.json'), JSON.stringify(info))
  // Whole or not at all: a folder without its file would be nobody's.
  await rename(draft, folder)
}

/** @throws {Fault} when there is no such upload of this key */
export async function readPieces(uploads: string, id: string, key: string): Promise<PiecesInfo> {
  const text = await readFile(join(uploads, id, 'pieces.json'), 'utf8').catch(() => null)
  const info = text === null ? null : (JSON.parse(text) as PiecesInfo)
  if (info?.key !== key) throw new Fault(404, 'there is no such upload')
  return info
}

/** The parts that have arrived, in their order. */
export async function listPieces(uploads: string, id: string): Promise<Piece[]> {
  const folder = join(uploads, id)
  const pieces: Piece[] = []
  for (const name of await readdir(folder)) {
    const [, number, sha256] = /^part-(\d+)-([0-9a-f]{64})$/.exec(name) ?? []
    if (number === undefined || sha256 === undefined) continue
    const path = join(folder, name)
    pieces.push({ number: Number(number), sha256, path, octets: (await stat(path)).size })
  }
  return pieces.sort((a, b) => a.number - b.number)
}

/** Keep a part; one of the same number goes. */
export async function keepPiece(
  uploads: string,
  id: string,
  number: number,
  finished: Finished,
): Promise<void> {
  const path = join(uploads, id, `part-${number}-${finished.sha256}`)
  await rename(finished.path, path)
  for (const other of await listPieces(uploads, id)) {
    if (other.number === number && other.path !== path) await rm(other.path, { force: true })
  }
}

/** The upload is over: nothing is left of it. */
export async function removePieces(uploads: string, id: string): Promise<void> {
  await rm(join(uploads, id), { recursive: true, force: true })
}
