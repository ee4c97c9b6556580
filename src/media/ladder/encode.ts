import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { type Progress, ProgressReader } from './progress.ts'

/** A child process that makes one file, or a piece of one. */
export type Encoding = {
  /** never rejects */
  readonly ended: Promise<EncodingFault | null>
  /** Ask it to end, and make it a second later. */
  stop(): void
}

export type EncodingFault = {
  /** in the encoder's own words, if it had any */
  readonly why: string
  /** it was ended by a signal: it may come further another time */
  readonly isCrash: boolean
}

export type EncodingOptions = {
  /** 0 to 19: how far it steps back for others */
  readonly niceness: number
  readonly onProgress: (progress: Progress) => void
  /** an open file that is its descriptor 3 */
  readonly output?: number
}

/** What the encoder says last is why it ended. */
const LIMIT_SAID = 4096
const STOP_MS = 1000

/** Start an encoder: its program, and the words behind it. */
export function encode(
  [command, ...words]: readonly string[],
  { niceness, onProgress, output }: EncodingOptions,
): Encoding {
  const stdio = ['ignore', 'pipe', 'pipe', ...(output === undefined ? [] : [output])] as const
  const child = spawn(command!, words, { stdio: [...stdio] })
  let said = ''
  let killing: NodeJS.Timeout | undefined
  const reader = new ProgressReader()
  if (child.pid !== undefined) setPriority(child.pid, niceness)
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const progress = reader.read(text)
    if (progress !== null) onProgress(progress)
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-LIMIT_SAID)
  })
  const ended = new Promise<EncodingFault | null>((resolve) => {
    child.on('error', (error) => resolve({ why: error.message, isCrash: false }))
    child.on('close', (code, signal) => {
      clearTimeout(killing)
      if (code === 0) return resolve(null)
      const last = said.trim().split('\n').slice(-3).join('; ')
      const why = last || (signal === null ? `it ended with ${code}` : `it was ended by ${signal}`)
      resolve({ why, isCrash: signal !== null })
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
