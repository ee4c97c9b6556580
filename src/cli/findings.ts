import type { Finding } from '#core/finding.ts'
import { paint, print, type Style } from './print.ts'

const MARKS: Readonly<Record<Finding['level'], readonly [mark: string, style: Style]>> = {
  ok: ['ok', 'good'],
  warning: ['warn', 'warning'],
  error: ['fail', 'error'],
  unknown: ['?', 'quiet'],
}

/** Print what was found, a line each, and what to do about it. */
export function printFindings(findings: readonly Finding[]): void {
  for (const { what, level, message, fix } of findings) {
    const [mark, style] = MARKS[level]
    print(`${paint(style, mark.padEnd(4))} ${what}: ${message}`)
    if (fix !== undefined && level !== 'ok') print(`     Fix: ${fix}`)
  }
}

/** `1 failed, 2 warnings, 9 ok`. */
export function countFindings(findings: readonly Finding[]): string {
  const count = (wanted: Finding['level']): number => findings.filter(({ level }) => level === wanted).length
  const parts = [
    `${count('error')} failed`,
    `${count('warning')} ${count('warning') === 1 ? 'warning' : 'warnings'}`,
    `${count('ok')} ok`,
    ...(count('unknown') > 0 ? [`${count('unknown')} not seen`] : []),
  ]
  return parts.join(', ')
}
