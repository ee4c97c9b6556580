import { join } from 'node:path'

/** Where things are in the folder of a bucket. */
export type BucketPaths = {
  readonly database: string
  /** bodies, by their hash */
  readonly blobs: string
  /** bodies that are being received, begun by a process that may be dead by now */
  readonly drafts: string
  /** uploads that can be resumed */
  readonly uploads: string
  /** names of blobs that may stand without an object: a file each while an object comes or goes */
  readonly doubts: string
}

/** @param root absolute path of the folder */
export function pathsOf(root: string): BucketPaths {
  return {
    database: join(root, 'bucket.db'),
    blobs: join(root, 'blobs'),
    drafts: join(root, 'drafts'),
    uploads: join(root, 'uploads'),
    doubts: join(root, 'doubts'),
  }
}

/** Where a blob is: 256 folders, so that none becomes long. */
export function blobPath(blobs: string, sha256: string): string {
  return join(blobs, sha256.slice(0, 2), sha256)
}
