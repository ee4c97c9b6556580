import type { LadderEvent } from '#media/ladder/queue.ts'
import { showAge, showOctets } from './figures.ts'
import { paint, print, printError } from './print.ts'
import { isDrawable } from './screen.ts'
import { clip } from './table.ts'

/** Tells a person what happens: lines of what is done, and below them, on a terminal, how far the rest is. */
export type TranscodeView = {
  tell(event: LadderEvent, waiting: number): void
  /** Take the line of progress away. */
  end(): void
}

const BAR_COLUMNS = 20
/** Where nobody looks, a line each quarter. */
const PLAIN_STEP = 0.25

/** Create the view for this terminal, or for a file. */
export function createTranscodeView(): TranscodeView {
  const isLive = isDrawable()
  const told = new Map<string, number>()

  function say(line: string, isFault = false): void {
    erase()
    if (isFault) printError(line)
    else print(line)
  }

  function erase(): void {
    if (isLive) process.stdout.write('\r\x1b[K')
  }

  function progress(event: LadderEvent & { readonly event: 'progress' }, waiting: number): void {
    const line = `${event.file}  ${progressText(event)}${waiting === 0 ? '' : `, ${waiting} more to make`}`
    if (isLive) {
      erase()
      process.stdout.write(clip(`${bar(event.share)} ${line}`, (process.stdout.columns || 80) - 1))
      return
    }
    if (event.share < (told.get(event.file) ?? 0) + PLAIN_STEP) return
    told.set(event.file, event.share)
    print(line)
  }

  return {
    tell(event, waiting) {
      if (event.event === 'progress') return progress(event, waiting)
      if ('file' in event) told.delete(event.file)
      const line = lineOf(event)
      if (line !== null) say(line, event.event === 'failed' || event.event === 'refused')
    },
    end: erase,
  }
}

/** `43 %, 2.1× speed, 1m 12s left` */
export function progressText(
  event: Pick<LadderEvent & { event: 'progress' }, 'share' | 'speed' | 'leftSeconds'>,
): string {
  const { share, speed, leftSeconds } = event
  const parts = [`${Math.floor(share * 100)} %`]
  if (speed > 0) parts.push(`${speed.toFixed(speed < 10 ? 1 : 0)}× speed`)
  if (leftSeconds !== null) parts.push(`${showAge(Math.ceil(leftSeconds))} left`)
  return parts.join(', ')
}

function bar(share: number): string {
  const full = Math.round(share * BAR_COLUMNS)
  return `${'█'.repeat(full)}${'░'.repeat(BAR_COLUMNS - full)}`
}

function lineOf(event: Exclude<LadderEvent, { event: 'progress' }>): string | null {
  switch (event.event) {
    case 'refused':
      return `${paint('error', 'no')}    ${event.film}: ${event.why}`
    case 'later':
      return `${paint('quiet', 'later')} ${event.film}: ${showAge(Math.ceil(event.leftSeconds))} of work wait already`
    case 'planned':
      return `${paint('strong', event.film)}: ${event.files.join(', ') || 'nothing to make, it is small enough'}`
    case 'begun':
      return null
    case 'kept':
      return `${paint('quiet', 'kept')}  ${event.file}`
    case 'resumed':
      return `${paint('quiet', 'on')}    ${event.file}: ${showAge(Math.floor(event.fromSeconds))} of it were made before a crash`
    case 'left':
      return `${paint('warning', 'left')}  ${event.why}; --force replaces it`
    case 'failed':
      return `${paint('error', 'no')}    ${event.file}: ${event.why}`
    case 'made':
      return `${paint('good', 'made')}  ${event.file}  ${showOctets(event.octets)} in ${showAge(Math.ceil(event.seconds))}`
  }
}
