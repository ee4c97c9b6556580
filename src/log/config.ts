import type { EitherSetting } from '#core/settings.ts'

/** Where and how requests are written down, as written. */
export type AccessLogConfig =
  | string
  | {
      readonly file: string
      readonly format: 'json' | 'combined'
      readonly query: boolean
      readonly oneIn: number
      readonly rotate?: number
      readonly keep: number
    }

/** `log.access`: a file, or a file and how it is written. */
export const accessLogSetting: EitherSetting = {
  type: 'either',
  doc: 'File that gets one line a request; none when absent. `portico reopen-log` and SIGUSR1 open it anew, for programs that rotate logs.',
  of: [
    { type: 'text', path: 'new file', doc: 'The file; lines are JSON.', example: './access.log' },
    {
      type: 'group',
      doc: 'The file, and how it is written.',
      fields: {
        file: {
          type: 'text',
          path: 'new file',
          doc: 'The file; its folder must be there.',
          example: './access.log',
        },
        format: {
          type: 'choice',
          doc: 'One JSON object a line, or the combined form that Apache and nginx write.',
          values: ['json', 'combined'],
          initial: 'json',
        },
        query: {
          type: 'flag',
          doc: 'Keep the query of targets and referers; without it, secrets that stand in a query stay out of the log.',
          initial: true,
        },
        oneIn: {
          type: 'integer',
          doc: 'Write down one request of so many, by chance. Requests that failed (5xx, or no answer) are all written down.',
          unit: 'requests',
          initial: 1,
          min: 1,
          max: 1_000_000,
        },
        rotate: {
          type: 'size',
          doc: 'Begin a new file when this one is larger: access.log becomes access.log.1. Never when absent.',
          min: 65_536,
          max: 2 ** 40,
          example: '100MB',
        },
        keep: {
          type: 'integer',
          doc: 'How many files that were rotated stay.',
          unit: 'files',
          initial: 5,
          min: 1,
          max: 1000,
        },
      },
      required: ['file'],
    },
  ],
  example: './access.log',
}
