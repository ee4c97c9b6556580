import { appendFile, open, rm } from 'node:fs/promises'
import { readIfThere, replaceFile } from '#core/state-file.ts'

/** A file of state that grows by lines of JSON. */
export type Journal<Line> = {
  /** what it held when it was opened */
  readonly lines: readonly Line[]
  /** Add lines; with `isSafe` they outlive a crash of the machine once this is done. */
  append(lines: readonly Line[], isSafe: boolean): Promise<void>
  /** Write it anew with these lines alone, whole or not at all. */
  replace(lines: readonly Line[]): Promise<void>
  /** lines in the file */
  count(): number
}

/**
 * Open a journal. What the last crash left of a line is taken off when lines are added: who only reads changes nothing.
 *
 * @param path of a folder that is there
 * @throws {Error} when it is there and cannot be read
 */
export async function openJournal<Line>(path: string): Promise<Journal<Line>> {
  const text = (await readIfThere(path)) ?? ''
  const lines = readLines<Line>(text)
  let count = lines.length
  let isTorn = text !== printLines(lines)
  let last: Promise<void> = Promise.resolve()

  /** Lines stand in the order in which they were added. */
  function inOrder(write: () => Promise<void>): Promise<void> {
    const done = last.then(write)
    last = done.catch(() => {})
    return done
  }

  async function replace(all: readonly Line[]): Promise<void> {
    if (all.length === 0) await rm(path, { force: true })
    else await replaceFile(path, printLines(all), 0o644)
    count = all.length
    isTorn = false
  }

  async function append(added: readonly Line[], isSafe: boolean): Promise<void> {
    if (count === 0 || isTorn) return replace(isTorn ? [...lines, ...added] : added)
    await appendFile(path, printLines(added))
    count += added.length
    if (!isSafe) return
    const file = await open(path, 'r+')
    await file.datasync().finally(() => file.close())
  }

  return {
    lines,
    append: (added, isSafe) => inOrder(() => append(added, isSafe)),
    replace: (all) => inOrder(() => replace(all)),
    count: () => count,
  }
}

function printLines(lines: readonly unknown[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

/** Up to the first line that is none. */
function readLines<Line>(text: string): Line[] {
  const lines: Line[] = []
  for (const line of text.split('\n').slice(0, -1)) {
    try {
      lines.push(JSON.parse(line) as Line)
    } catch {
      break
    }
  }
  return lines
}
