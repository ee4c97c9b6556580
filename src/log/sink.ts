import { resolve } from 'node:path'
import { type LogFile, type LogFileOptions, openLogFile } from './file.ts'
import { printRecord } from './line.ts'
import type { AccessLogPlan } from './plan.ts'
import type { AccessRecord } from './record.ts'

/** Where the records of a Plan go. */
export type LogSink = {
  readonly plan: AccessLogPlan
  write(record: AccessRecord): void
  readonly file: LogFile
}

export type LogSinkOptions = {
  /** where relative names start */
  readonly folder: string
  readonly onError: (error: Error) => void
  /** from 0 to 1, as Math.random */
  readonly random: () => number
}

/**
 * Open what a Plan says of the access log.
 *
 * @throws {Error} when the file cannot be opened
 */
export function openLogSink(plan: AccessLogPlan, { folder, onError, random }: LogSinkOptions): LogSink {
  const { format, oneIn, keep, rotateOctets } = plan
  const path = resolve(folder, plan.file)
  const file = open({ path, keep, rotateOctets, onError })
  return {
    plan,
    file,
    write(record) {
      const isFailure = record.status === 0 || record.status >= 500
      if (oneIn === 1 || isFailure) file.write(printRecord(record, format))
      else if (random() * oneIn < 1) file.write(printRecord({ ...record, standsFor: oneIn }, format))
    },
  }
}

function open(options: LogFileOptions): LogFile {
  try {
    return openLogFile(options)
  } catch (error) {
    const why = error instanceof Error ? error.message : error
    throw new Error(`Cannot open the access log ${options.path}: ${why}`, { cause: error })
  }
}
