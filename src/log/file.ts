import { closeSync, fstatSync, openSync, write, writeSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { moveAside } from './rotate.ts'

/** Lines at the end of a file, in batches, each with one write: several threads may append to one file. */
export type LogFile = {
  /** Never waits: beyond the limit, lines are dropped and counted. */
  write(line: string): void
  /** lines that were dropped */
  readonly dropped: number
  /** Go on in the file that has the name now: another program has moved the old one away. */
  reopen(): void
  /** Write what waits, and close. */
  close(): void
}

export type LogFileOptions = {
  /** absolute */
  readonly path: string
  /** begin a new file beyond this size; one thread alone may do so, the others follow */
  readonly rotateOctets?: number | undefined
  /** files that were rotated and stay */
  readonly keep: number
  readonly onError: (error: Error) => void
}

/** Characters that wait for the disk; lines beyond are dropped rather than held in memory. */
const WAITING_LIMIT = 8 * 2 ** 20
/** A batch is written when it is this long, or this old. */
const BATCH_LENGTH = 65_536
const BATCH_MS = 200
/** How often one looks whether the file is too large, or has been moved away. */
const LOOK_MS = 2000
/** The group may read. */
const MODE = 0o640

/**
 * Open a file for lines.
 *
 * @throws {Error} when it cannot be opened
 */
export function openLogFile(options: LogFileOptions): LogFile {
  return new AppendedFile(options)
}

class AppendedFile implements LogFile {
  dropped = 0
  readonly #options: LogFileOptions
  readonly #watch: NodeJS.Timeout
  #fd: number
  #lines = ''
  #timer: NodeJS.Timeout | undefined
  #isWriting = false
  /** to be done when the write under way has ended, which needs its file */
  #next: 'write' | 'reopen' | 'close' = 'write'

  constructor(options: LogFileOptions) {
    this.#options = options
    this.#fd = openSync(options.path, 'a', MODE)
    this.#watch = setInterval(() => void this.#look(), LOOK_MS).unref()
  }

  write(line: string): void {
    if (this.#next === 'close' || this.#lines.length + line.length > WAITING_LIMIT) {
      this.dropped++
      return
    }
    this.#lines += `${line}\n`
    if (this.#lines.length >= BATCH_LENGTH) this.#flush()
    else this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS)
  }

  reopen(): void {
    if (this.#next === 'close') return
    this.#next = 'reopen'
    if (!this.#isWriting) this.#goOn()
  }

  close(): void {
    if (this.#next === 'close') return
    this.#next = 'close'
    clearInterval(this.#watch)
    clearTimeout(this.#timer)
    if (this.#lines !== '') this.#writeNow(this.#lines)
    if (!this.#isWriting) closeSync(this.#fd)
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#isWriting || this.#lines === '') return
    this.#isWriting = true
    const batch = Buffer.from(this.#lines)
    this.#lines = ''
    this.#writeAll(batch)
  }

  #writeAll(octets: Buffer): void {
    write(this.#fd, octets, (error, written) => {
      if (error === null && written < octets.length) return this.#writeAll(octets.subarray(written))
      this.#isWriting = false
      if (error !== null) this.#lost(error, octets.toString())
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#next === 'close') return closeSync(this.#fd)
    if (this.#next === 'reopen') this.#replace()
    this.#next = 'write'
    if (this.#lines !== '') this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS)
  }

  #replace(): void {
    try {
      const next = openSync(this.#options.path, 'a', MODE)
      closeSync(this.#fd)
      this.#fd = next
    } catch (error) {
      this.#options.onError(error as Error)
    }
  }

  #writeNow(lines: string): void {
    try {
      writeSync(this.#fd, lines)
    } catch (error) {
      this.#lost(error as Error, lines)
    }
  }

  #lost(error: Error, lines: string): void {
    this.dropped += lines.split('\n').length - 1
    this.#options.onError(error)
  }

  /** Rotate when it is time, and follow when someone else did. */
  async #look(): Promise<void> {
    const { path, keep, rotateOctets = Infinity, onError } = this.#options
    try {
      const found = await stat(path).catch(() => null)
      const isOurs = this.#next !== 'close' && found?.ino === fstatSync(this.#fd).ino
      if (isOurs && found.size < rotateOctets) return
      if (isOurs) await moveAside(path, keep)
      this.reopen()
    } catch (error) {
      onError(error as Error)
    }
  }
}
