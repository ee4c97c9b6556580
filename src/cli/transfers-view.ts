import type { Transfer, Transfers } from '#http/transfer.ts'
import type { Session } from '#media/sessions.ts'
import { showOctets, showSeconds } from './figures.ts'
import { paint } from './print.ts'
import type { Size } from './screen.ts'
import { alignedTable, type Column } from './table.ts'

/** Responses under way, the quickest first: plain JSON. */
export type TransfersView = Omit<Transfers, 'list'> & {
  readonly sentPerSecond: number
  readonly list: readonly (Transfer & { readonly sentPerSecond: number })[]
  /** players that say who they are; absent from an older Portico */
  readonly sessions: readonly Session[]
}

/** Say how fast each goes, by what went between two looks, or since it began. */
export function viewTransfers(
  before: Transfers,
  now: Transfers & { readonly sessions?: readonly Session[] },
  seconds: number,
): TransfersView {
  const known = new Map(before.list.map((transfer) => [transfer.id, transfer]))
  const list = now.list.map((transfer) => {
    const { id, sentOctets, ageMs } = transfer
    const earlier = known.get(id)
    const span = earlier === undefined ? ageMs / 1000 : seconds
    const sentPerSecond = (sentOctets - (earlier?.sentOctets ?? 0)) / Math.max(span, 0.001)
    return { ...transfer, sentPerSecond }
  })
  list.sort((a, b) => b.sentPerSecond - a.sentPerSecond || b.ageMs - a.ageMs)
  const sentPerSecond = list.reduce((sum, transfer) => sum + transfer.sentPerSecond, 0)
  return { ...now, sentPerSecond, list, sessions: now.sessions ?? [] }
}

const COLUMNS: readonly Column[] = [
  { title: 'CLIENT' },
  { title: 'RATE', align: 'right' },
  { title: 'SENT', align: 'right' },
  { title: 'OF', align: 'right' },
  { title: 'AHEAD', align: 'right', isOptional: true },
  { title: 'AGE', align: 'right', isOptional: true },
  { title: 'STATE' },
  { title: 'WHAT', isFree: true },
]

/** What `portico transfers` says, for a terminal of this size. */
export function transferLines(view: TransfersView, { columns, rows }: Size): string[] {
  const { count, paused, aheadOctets, sentPerSecond, list, sessions } = view
  const ahead = `${showOctets(aheadOctets)} read ahead`
  const head = `${count} under way, ${paused} paused, ${showOctets(sentPerSecond)}/s, ${ahead}`
  const players = sessionLines(sessions, { columns, rows: Math.floor(rows / 2) })
  const shown = list.slice(0, Math.max(1, rows - 5 - players.length))
  const table = alignedTable(COLUMNS, shown.map(cellsOf), columns, (text, row, title) => {
    if (row < 0) return paint('quiet', text)
    return title === 'STATE' && shown[row]!.pausedMs > 0 ? paint('warning', text) : text
  })
  const more = count > shown.length ? [paint('quiet', `… and ${count - shown.length} more`)] : []
  return shown.length === 0 ? [head, ...players] : [head, '', ...table, ...more, ...players]
}

const SESSION_COLUMNS: readonly Column[] = [
  { title: 'PLAYER' },
  { title: 'AHEAD', align: 'right' },
  { title: 'KBIT/S', align: 'right' },
  { title: 'START', align: 'right', isOptional: true },
  { title: 'STALLS', align: 'right' },
  { title: 'STATE' },
  { title: 'FILM', isFree: true },
]

/** What players say of themselves (CMCD); nothing while none does. */
function sessionLines(sessions: readonly Session[], { columns, rows }: Size): string[] {
  if (sessions.length === 0) return []
  const shown = sessions.slice(0, Math.max(1, rows - 3))
  const table = alignedTable(SESSION_COLUMNS, shown.map(sessionCells), columns, (text, row, title) => {
    if (row < 0) return paint('quiet', text)
    return title === 'STATE' && shown[row]!.isStarving ? paint('warning', text) : text
  })
  const more = sessions.length - shown.length
  return ['', ...table, ...(more > 0 ? [paint('quiet', `… and ${more} more`)] : [])]
}

function sessionCells(session: Session): string[] {
  const { client, bufferMs, bitrateKbps, startupMs, rebuffers, isStarving, rate, format, film } = session
  const state = isStarving ? 'waits' : rate === 0 ? 'paused' : 'plays'
  return [
    client,
    bufferMs === null ? '?' : showSeconds(bufferMs / 1000),
    bitrateKbps === null ? '?' : `${Math.round(bitrateKbps)}`,
    startupMs === null ? '?' : showSeconds(startupMs / 1000),
    `${rebuffers}`,
    state,
    `${film}${format === '' ? '' : ` (${format})`}`,
  ]
}

function cellsOf(transfer: TransfersView['list'][number]): string[] {
  const { client, lengthOctets, sentOctets, aheadOctets, ageMs, pausedMs, method, url } = transfer
  return [
    client,
    `${showOctets(transfer.sentPerSecond)}/s`,
    showOctets(sentOctets),
    lengthOctets === null ? '?' : showOctets(lengthOctets),
    showOctets(aheadOctets),
    showSeconds(ageMs / 1000),
    pausedMs > 0 ? `paused ${showSeconds(pausedMs / 1000)}` : 'flows',
    `${method === 'GET' ? '' : `${method} `}${url}`,
  ]
}
