import type { Readable } from 'node:stream'

/** A longer line is cut here, so that a program without line ends holds no memory. */
const LINE_LIMIT = 8192

/** Call back with each line of a stream, and with what is left at its end. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line.slice(0, LINE_LIMIT))
    if (rest.length < LINE_LIMIT) return
    onLine(rest.slice(0, LINE_LIMIT))
    rest = ''
  })
  stream.on('end', () => {
    if (rest !== '') onLine(rest)
  })
  stream.on('error', () => {})
}
