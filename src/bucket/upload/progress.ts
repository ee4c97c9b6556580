import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Bucket } from '#bucket/bucket.ts'
import { Fault } from '#bucket/wire/body.ts'
import type { Exchange, Source } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { findUpload } from './upload.ts'

type Progress = { readonly offset: number; readonly length: number | null; readonly isDone: boolean }

/** How far a resumable upload is, as server-sent events (WHATWG HTML, section 9.2), from whichever worker. */
export function followUpload(bucket: Bucket, exchange: Exchange, id: string): void {
  follow(exchange, async () => {
    const upload = await findUpload(bucket, id).catch((error: unknown) => {
      if (error instanceof Fault) return null
      throw error
    })
    if (upload === null) return null
    return { offset: upload.offset, length: upload.length, isDone: upload.became !== null }
  })
}

/** How far a request is that said `?progress=LABEL`: what its drafts hold. */
export function followLabel(bucket: Bucket, exchange: Exchange, label: string): void {
  let seen = 0
  let waits = 0
  follow(exchange, async () => {
    const names = (await readdir(bucket.paths.drafts)).filter((name) => name.endsWith(`.${label}`))
    const sizes = await Promise.all(
      names.map((name) => stat(join(bucket.paths.drafts, name)).catch(() => null)),
    )
    const offset = sizes.reduce((sum, file) => sum + (file?.size ?? 0), 0)
    waits = names.length > 0 ? 0 : waits + 1
    // Between two files of a form there is none for a moment; before the first, for a while.
    const isDone = seen > 0 && waits > WAITS_BETWEEN
    seen = Math.max(seen, offset)
    return waits > WAITS_BEFORE ? null : { offset: seen, length: null, isDone }
  })
}

/** @param look gives what is known now; null when there is nothing to follow */
function follow(exchange: Exchange, look: () => Promise<Progress | null>): void {
  const fields = fieldsOf([
    ['Content-Type', 'text/event-stream'],
    ['Cache-Control', 'no-store'],
    ['X-Content-Type-Options', 'nosniff'],
  ])
  exchange.respond({ status: 200, fields, lengthOctets: null }, new ProgressSource(look))
}

class ProgressSource implements Source {
  readonly #look: () => Promise<Progress | null>
  #last = ''
  #isOver = false
  #isFirst = true

  constructor(look: () => Promise<Progress | null>) {
    this.#look = look
  }

  async read(): Promise<Uint8Array | null> {
    for (let silent = 0; !this.#isOver; silent++) {
      if (!this.#isFirst) await pause(EVERY_MS)
      this.#isFirst = false
      const progress = await this.#look()
      if (progress === null) {
        this.#isOver = true
        return Buffer.from('event: gone\ndata: {}\n\n')
      }
      const data = JSON.stringify({ offset: progress.offset, length: progress.length })
      this.#isOver = progress.isDone
      if (progress.isDone) return Buffer.from(`event: done\ndata: ${data}\n\n`)
      // A comment now and then, so that who has left is noticed.
      if (data === this.#last && silent === QUIET) return Buffer.from(':\n\n')
      if (data === this.#last) continue
      this.#last = data
      return Buffer.from(`data: ${data}\n\n`)
    }
    return null
  }

  cancel(): void {
    this.#isOver = true
  }
}

const EVERY_MS = 250
const QUIET = 40
const WAITS_BETWEEN = 4
/** 30 s until the first file of an upload */
const WAITS_BEFORE = 120
