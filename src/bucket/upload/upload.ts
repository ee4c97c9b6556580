import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bucket } from '#bucket/bucket.ts'
import { BrokenOff } from '#bucket/content.ts'
import { faultOf } from '#bucket/respond.ts'
import type { Stored } from '#bucket/store/change.ts'
import { finishedOf, tallyFile } from '#bucket/store/draft.ts'
import { judgeObject, type Octets } from '#bucket/store/store.ts'
import { Fault } from '#bucket/wire/body.ts'
import { BlockWriter } from './block-writer.ts'

/** An upload that can be resumed: a folder with what is known of it, and the octets that have arrived. */
export type Upload = UploadInfo & {
  readonly id: string
  /** octets that have arrived: the length of the file, which a crash leaves true */
  readonly offset: number
  /** milliseconds since 1970; when it is forgotten unless more arrives */
  readonly expiresMs: number
}

export type UploadInfo = {
  readonly key: string
  readonly taken: 'replace' | 'rename'
  /** null while it is not known */
  readonly length: number | null
  readonly name: string | null
  readonly declared: string | null
  /** as its client wrote it, to be said again */
  readonly metadata: string
  /** tus: one of several that are joined later, or the joined one */
  readonly concat: string
  /** key of the object that it has become */
  readonly became: string | null
}

/** Begin an upload. */
export async function createUpload(bucket: Bucket, info: UploadInfo): Promise<Upload> {
  await bucket.reader()
  const id = randomBytes(18).toString('base64url')
  const folder = join(bucket.paths.uploads, id)
  await mkdir(folder)
  await writeFile(join(folder, 'data'), '')
  await writeInfo(bucket, id, info)
  return { ...info, id, offset: 0, expiresMs: bucket.now() + bucket.plan.incompleteMs }
}

/** @throws {Fault} when there is none, or its time is over */
export async function findUpload(bucket: Bucket, id: string): Promise<Upload> {
  const folder = join(bucket.paths.uploads, id)
  const text = await readFile(join(folder, 'info.json'), 'utf8').catch(() => null)
  if (text === null) throw new Fault(404, 'there is no such upload')
  const info = JSON.parse(text) as UploadInfo
  const { size, mtimeMs } = await stat(join(folder, info.became === null ? 'data' : 'info.json'))
  const expiresMs = mtimeMs + bucket.plan.incompleteMs
  if (expiresMs <= bucket.now()) {
    await removeUpload(bucket, id)
    throw new Fault(410, 'the time of this upload is over')
  }
  return { ...info, id, offset: info.became === null ? size : (info.length ?? 0), expiresMs }
}

/** Nothing is left of it. */
export async function removeUpload({ paths }: Bucket, id: string): Promise<void> {
  await rm(join(paths.uploads, id), { recursive: true, force: true })
}

/** Say more of an upload than was known. */
export async function updateUpload(
  bucket: Bucket,
  upload: Upload,
  more: Partial<UploadInfo>,
): Promise<Upload> {
  const { id, offset, expiresMs, ...info } = { ...upload, ...more }
  await writeInfo(bucket, id, info)
  return { ...info, id, offset, expiresMs }
}

/**
 * Do something that nobody else does to the upload meanwhile, on any worker. The lock goes when the work is over, and
 * with the worker.
 *
 * @throws {Fault} 423 when somebody does
 */
export async function withLock<Result>(
  bucket: Bucket,
  id: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const outcome = await bucket.change({ kind: 'lock', id, worker: bucket.worker })
  if (outcome.kind !== 'done') throw faultOf(outcome)
  try {
    return await work()
  } finally {
    await bucket.change({ kind: 'unlock', id })
  }
}

/** A digest that octets must have to be kept. */
export type Digest = { update(octets: Uint8Array): void; isRight(): boolean }

/**
 * Append octets to an upload. When they break off, those that have arrived stay, unless they have a digest.
 *
 * @returns the new offset
 * @throws {Fault} when they are more than the upload may have, or not what their digest says: then none of them stays
 */
export async function appendOctets(
  bucket: Bucket,
  upload: Upload,
  octets: Octets,
  digest: Digest | null,
): Promise<number> {
  const path = join(bucket.paths.uploads, upload.id, 'data')
  const most = upload.length ?? bucket.plan.maxOctets
  const file = await open(path, 'r+')
  const tally = bucket.tallies.take(upload.id, upload.offset)
  const writer = new BlockWriter(file, upload.offset, (part) => tally?.add(part))
  let offset = upload.offset
  const keep = async (): Promise<void> => {
    await writer.flush()
    if (bucket.plan.sync) await file.datasync()
    if (tally !== null) bucket.tallies.keep(upload.id, tally)
  }
  try {
    for (let part = await octets.read(); part !== null; part = await octets.read()) {
      offset += part.length
      if (offset > most) throw new Fault(413, `the upload has ${most} octets, and this is more`)
      digest?.update(part)
      const written = writer.write(part)
      if (written !== undefined) await written
    }
    if (digest?.isRight() === false) throw new Fault(460, 'the checksum of what arrived is another one')
    await keep()
    return offset
  } catch (error) {
    if (error instanceof BrokenOff && digest === null) await keep()
    else await writer.flush().then(() => file.truncate(upload.offset))
    throw error
  } finally {
    await writer.close()
  }
}

/** All has arrived: the upload becomes an object. What is not taken is gone. */
export async function completeUpload(bucket: Bucket, upload: Upload): Promise<Stored> {
  const path = join(bucket.paths.uploads, upload.id, 'data')
  const { key, declared, name, taken, offset } = upload
  const tally = bucket.tallies.take(upload.id, offset) ?? (await tallyFile(path, bucket.plan.sync))
  const finished = finishedOf(path, tally)
  const about = { name, fields: null, headers: [] }
  try {
    const object = await judgeObject(bucket, { key, finished, declared, about, taken })
    const outcome = await bucket.change({ kind: 'put', objects: [object], conditions: [] })
    if (outcome.kind !== 'stored') throw faultOf(outcome)
    const stored = outcome.objects[0]!
    // A client that did not hear the answer asks again, and reads that all has arrived.
    await updateUpload(bucket, upload, { became: stored.key, length: offset })
    return stored
  } catch (error) {
    await removeUpload(bucket, upload.id)
    throw error
  }
}

async function writeInfo({ paths }: Bucket, id: string, info: UploadInfo): Promise<void> {
  const path = join(paths.uploads, id, 'info.json')
  await writeFile(`${path}.draft`, JSON.stringify(info))
  await rename(`${path}.draft`, path)
}
