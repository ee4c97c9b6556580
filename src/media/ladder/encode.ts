import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { type Progress, ProgressReader } from './progress.ts'

/** A child process that makes one file. */
export type Encoding = {
  /** what went wrong in the encoder's own words, or null; never rejects */
  readonly ended: Promise<string | null>
  /** Ask it to end, and make it a second later. */
  stop(): void
}

/** What the encoder says last is why it ended. */
const LIMIT_SAID = 4096
const STOP_MS = 1000

/**
 * Start an encoder: its program, and the words behind it.
 *
 * @param niceness 0 to 19: how far it steps back for others
 */
export function encode(
  [command, ...words]: readonly string[],
  { niceness, onProgress }: { readonly niceness: number; readonly onProgress: (progress: Progress) => void },
): Encoding {
  const child = spawn(command!, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  let killing: NodeJS.Timeout | undefined
  const reader = new ProgressReader()
  if (child.pid !== undefined) setPriority(child.pid, niceness)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const progress = reader.read(text)
    if (progress !== null) onProgress(progress)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LIMIT_SAID)
  })
  const ended = new Promise<string | null>((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('close', (code, signal) => {
      clearTimeout(killing)
      if (code === 0) return resolve(null)
      const last = said.trim().split('\n').slice(-3).join('; ')
      resolve(last || (signal === null ? `it ended with ${code}` : `it was ended by ${signal}`))
    })
  })
  return {
    ended,
    stop() {
      child.kill('SIGTERM')
      killing ??= setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    },
  }
}
