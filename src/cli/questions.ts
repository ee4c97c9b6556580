import { createInterface } from 'node:readline/promises'
import { UsageError } from './command.ts'
import { paint, print } from './print.ts'

/** One question; `read` turns the line into the answer, or throws a UsageError that says what is wanted. */
export type Question<T> = {
  readonly text: string
  /** taken for an empty line */
  readonly initial: string
  readonly read: (line: string) => T
  /** the answer when stdin has no more lines; without it that is a fault */
  readonly atEnd?: T
}

/** Someone who answers: a person at a terminal, or lines on stdin. */
export type Questions = {
  /** @throws {UsageError} when the lines end, or one of them is no answer and nobody is there to ask again */
  ask<T>(question: Question<T>): Promise<T>
  close(): void
}

/** Ask on stdin and stdout, a line an answer. */
export function openQuestions(): Questions {
  const input = process.stdin
  const isTerminal = input.isTTY === true
  const reader = createInterface({ input, ...(isTerminal ? { output: process.stdout } : {}) })
  // Ctrl-C is no answer: without this it would end the lines, as Ctrl-D does.
  reader.once('SIGINT', () => process.exit(130))
  // Not reader.question(): lines of a pipe that come before they are asked for would be lost.
  const lines = reader[Symbol.asyncIterator]()

  async function ask<T>({ text, initial, read, atEnd }: Question<T>): Promise<T> {
    const hint = initial === '' ? '' : ` ${paint('quiet', `[${initial}]`)}`
    for (;;) {
      reader.setPrompt(`${text}${hint}: `)
      if (isTerminal) reader.prompt()
      const { value, done } = await lines.next()
      if (done === true && atEnd !== undefined) return atEnd
      if (done === true)
        throw new UsageError(`No line is left to answer "${text}". With --yes nothing is asked.`)
      try {
        return read(value.trim() || initial)
      } catch (error) {
        if (!isTerminal || !(error instanceof UsageError)) throw error
        print(paint('error', error.message))
      }
    }
  }

  return { ask, close: () => reader.close() }
}
