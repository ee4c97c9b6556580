import {
  type BigIntStats,
  close,
  constants,
  fstatSync,
  open,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Log } from '#core/log.ts'

/** A file of which it is sure that it lies in its folder. It closes when the last of its users has. */
export type OpenFile = {
  readonly kind: 'file'
  readonly descriptor: number
  readonly stats: BigIntStats
  /** One user more, who closes it too. */
  share(): void
  close(): void
}

export type NotOpened = {
  readonly kind: 'folder' | 'not found' | 'not readable' | 'outside' | 'too many open' | 'failed'
}

/** Below the 1024 descriptors that a process gets by default on Linux, so that connections are left some. */
export const LIMIT_OPEN_FILES = 512

/** A folder on disk from which files are opened, and never one that lies outside. */
export class Folder {
  readonly #path: string
  readonly #log: Log
  #openFiles = 0
  /** where the folder really is, with a final slash; undefined until it has been found */
  #realPath: string | undefined

  constructor(path: string, log: Log) {
    this.#path = path
    this.#log = log
  }

  /** Where a path below the folder is on disk, as far as its name says. */
  pathOf(path: string): string {
    return join(this.#path, path)
  }

  /** @param path below the folder, without `..` */
  async open(path: string): Promise<OpenFile | NotOpened> {
    if (this.#openFiles >= LIMIT_OPEN_FILES) return { kind: 'too many open' }
    this.#openFiles++
    const file = await this.#openAny(join(this.#path, path))
    if (file.kind !== 'file') {
      this.#openFiles--
      return file
    }
    const kind = this.#judge(file, path)
    if (kind === 'file') return file
    file.close()
    return { kind }
  }

  async #openAny(path: string): Promise<OpenFile | NotOpened> {
    try {
      const descriptor = await openDescriptor(path, READ_ANY)
      // Neither this nor the look into /proc waits for a disk: open has read the inode.
      const stats = fstatSync(descriptor, { bigint: true })
      let users = 1
      return {
        kind: 'file',
        descriptor,
        stats,
        share: () => {
          users++
        },
        close: () => {
          users--
          if (users > 0) return
          this.#openFiles--
          close(descriptor)
        },
      }
    } catch (failure) {
      return { kind: this.#kindOf(failure, path) }
    }
  }

  #judge(file: OpenFile, path: string): 'file' | NotOpened['kind'] {
    if (!this.#holds(file.descriptor, join(this.#path, path))) {
      this.#log('warning', 'files/outside', { root: this.#path, path })
      return 'outside'
    }
    if (file.stats.isDirectory()) return 'folder'
    return file.stats.isFile() ? 'file' : 'not found'
  }

  /**
   * Whether a descriptor lies in the folder. The descriptor is asked, not the path it was opened by: a symbolic link
   * that somebody changes in between cannot lead outside.
   */
  #holds(descriptor: number, path: string): boolean {
    const real = realPathOf(descriptor, path)
    if (real === undefined) return false
    if (this.#realPath !== undefined && `${real}/`.startsWith(this.#realPath)) return true
    // A deployment may have pointed the root, itself a link, to another folder.
    this.#realPath = withSlash(realpathSync(this.#path))
    return `${real}/`.startsWith(this.#realPath)
  }

  #kindOf(failure: unknown, path: string): NotOpened['kind'] {
    const code = (failure as NodeJS.ErrnoException).code ?? ''
    const kind = KINDS[code] ?? 'failed'
    if (kind === 'failed' || kind === 'too many open') this.#log('error', 'files/open', { path, code })
    return kind
  }
}

/** Without O_NONBLOCK, opening a FIFO waits for its writer; O_NOCTTY keeps a terminal from becoming ours. */
const READ_ANY = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY

const openDescriptor = promisify(open)

const KINDS: Readonly<Record<string, NotOpened['kind']>> = {
  EACCES: 'not readable',
  EPERM: 'not readable',
  ENOENT: 'not found',
  ENOTDIR: 'not found',
  ENAMETOOLONG: 'not found',
  ELOOP: 'not found',
  // a socket, or a device that is not there
  ENXIO: 'not found',
  ENODEV: 'not found',
  EMFILE: 'too many open',
  ENFILE: 'too many open',
}

function realPathOf(descriptor: number, path: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return pathWithoutProc(descriptor, path)
  }
}

/** Other systems than Linux: the path must still lead to what was opened. */
function pathWithoutProc(descriptor: number, path: string): string | undefined {
  try {
    const real = realpathSync(path)
    const [opened, found] = [fstatSync(descriptor), statSync(real)]
    return opened.ino === found.ino && opened.dev === found.dev ? real : undefined
  } catch {
    return undefined
  }
}

function withSlash(path: string): string {
  return path.endsWith('/') ? path : `${path}/`
}
