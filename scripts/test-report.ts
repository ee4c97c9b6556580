import { relative, resolve } from 'node:path'
import type { TestEvent } from 'node:test/reporters'
import { inspect, styleText } from 'node:util'

/** Counts in the order and the words of the closing lines of `node --test`. */
type Totals = Record<'tests' | 'suites' | 'pass' | 'fail' | 'cancelled' | 'skipped' | 'todo', number>

const keptChars = 20_000

/**
 * What `npm test` prints: a line a file while all is well, failures in full, and at the end the closing lines of
 * Node's test runner over all steps together.
 */
export class Report {
  readonly #began = performance.now()
  readonly #counts = new Map<string, Record<string, number>>()
  readonly #said = new Map<string, string>()
  readonly #again: string[] = []

  say(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** Close a step with its line. */
  step(title: string, passed: boolean, ms: number): void {
    this.say(`${mark(passed)} ${styleText('bold', title)} ${seconds(ms)}`)
  }

  /** A file that failed is run again, and its last run counts. */
  again(file: string): void {
    this.#again.push(relative('.', file))
    this.say(`  ↻ ${relative('.', file)} once more, alone`)
  }

  /**
   * Take an event of the test runner that runs a file: its end and each failure are printed, what it says is kept for
   * its failure.
   */
  take({ type, data }: TestEvent, testFile: string): void {
    if (type === 'test:stdout' || type === 'test:stderr') {
      const file = resolve(data.file ?? '')
      this.#said.set(file, `${this.#said.get(file) ?? ''}${data.message}`.slice(-keptChars))
    } else if (type === 'test:fail') {
      const { failureType, cause } = data.details.error as { failureType?: string; cause?: unknown }
      const reason =
        failureType === 'testAborted' ? 'did not end: a test waits, or a handle stays behind' : cause
      if (failureType !== 'subtestsFailed') this.#failure(data, reason)
    } else if (type === 'test:diagnostic' && data.file !== undefined) {
      this.say(styleText('dim', `    ${relative('.', data.file)}: ${data.message}`))
    } else if (type === 'test:summary') {
      if (data.file === undefined) this.#counts.set(testFile, data.counts)
      else this.#file(data.file, data.success, data.counts, data.duration_ms)
    }
  }

  /** Print the closing lines, and which steps failed. */
  end(failed: readonly string[]): void {
    const ms = performance.now() - this.#began
    for (const [name, count] of Object.entries(this.#totals())) this.say(`ℹ ${name} ${count}`)
    this.say(`ℹ duration_ms ${ms.toFixed(0)}`)
    if (this.#again.length > 0) {
      this.say(
        `↻ Failed beside others and run again alone: ${this.#again.join(', ')}. Look for what they wait for`,
      )
    }
    this.say(
      failed.length === 0
        ? `${mark(true)} All passed ${seconds(ms)}`
        : `${mark(false)} Failed: ${failed.join(', ')}`,
    )
  }

  #file(path: string, passed: boolean, counts: { tests: number; skipped: number }, ms: number): void {
    const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
    this.say(`  ${mark(passed)} ${relative('.', path)} ${counts.tests} tests${skipped} ${seconds(ms)}`)
    if (!passed) this.#words(path)
  }

  #failure(test: { name: string; file?: string; line?: number }, cause: unknown): void {
    const file = relative('.', test.file ?? '')
    // A file that failed itself: it ended before its tests did, or did not end after them.
    const isWholeFile = resolve(test.name) === resolve(test.file ?? '')
    this.say(`  ${mark(false)} ${isWholeFile ? file : `${file}:${test.line} ${test.name}`}`)
    this.say(indent(describe(cause)))
    if (isWholeFile) this.#words(test.file ?? '')
  }

  #words(path: string): void {
    const said = this.#said.get(resolve(path))?.trim()
    if (said) this.say(`    It said:\n${indent(said)}`)
    this.#said.delete(resolve(path))
  }

  #totals(): Totals {
    const totals = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 }
    for (const counts of this.#counts.values()) {
      for (const name of Object.keys(totals) as (keyof Totals)[]) {
        totals[name] += counts[{ pass: 'passed', fail: 'failed' }[name as string] ?? name] ?? 0
      }
    }
    return totals
  }
}

function mark(passed: boolean): string {
  return passed ? styleText('green', '✔') : styleText('red', '✖')
}

function seconds(ms: number): string {
  return styleText('dim', `${(ms / 1000).toFixed(1)} s`)
}

function indent(text: string): string {
  return text.replace(/^/gm, '    ')
}

/** An error with its stack, without the stack's lines that lie inside Node; an assertion's message says the rest. */
function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const isAssertion = 'code' in cause && cause.code === 'ERR_ASSERTION'
  const text = isAssertion ? (cause.stack ?? cause.message) : inspect(cause)
  return text.replace(/\n +at .*\bnode:internal\/.*/g, '')
}
