import type { Position } from '#core/problem.ts'
import { formatDuration, formatSize, plural } from '#core/units.ts'
import { isRefusal } from '#http/wire/refusal.ts'
import { type Broadcast, wallOf } from '#media/live/broadcast.ts'
import type { LivePlan } from '#media/live/plan.ts'
import { readPublished, readViewed, type ViewedThing } from '#media/live/view/asked.ts'
import { judgeReload, readDirectives, WAIT_TARGETS } from '#media/live/view/block.ts'
import { fault, type Step, step } from './step.ts'

/** How broadcasts stand at this moment. */
export type OnAir = {
  /** @param root folder as written */
  readonly find: (root: string, stream: string) => Broadcast | undefined
  readonly nowMs: number
}

/** What is on air under a URL, since when and how far back, and what somebody who asks for it now gets, and why. */
export function explainBroadcast(plan: LivePlan, url: URL, at: Position, onAir: OnAir): Step[] {
  const viewed = readViewed(url.pathname)
  const stream = viewed?.stream ?? readPublished(url.pathname)?.stream
  if (stream === undefined) return []
  const broadcast = onAir.find(plan.root, stream)
  if (broadcast === undefined || broadcast.session === null)
    return [fault('live', `404: nobody sends "${stream}", and nothing is left of it`, 'no encoder', at)]
  const about = [explainState(broadcast, plan, onAir.nowMs), explainWindow(broadcast)]
  const steps = about.map(([says, reason]) => step('live', says, reason, at))
  if (viewed === null) return steps
  if (viewed.id !== null && viewed.id !== broadcast.id)
    return [
      ...steps,
      step('live', `${viewed.id} is an earlier broadcast, read from its folder`, 'recording', at),
    ]
  const [says, reason] = explainAsked(broadcast, viewed.what, url)
  return [...steps, says.startsWith('4') ? fault('live', says, reason, at) : step('live', says, reason, at)]
}

type Words = readonly [says: string, reason: string]

function explainState(broadcast: Broadcast, plan: LivePlan, nowMs: number): Words {
  const { stream, state, sinceMs, why, session, newsMs } = broadcast
  const since = `${formatTime(sinceMs)}, for ${ago(nowMs - sinceMs)}`
  if (state === 'ended') {
    const until = formatTime(sinceMs + plan.recordingMs)
    return [`"${stream}" has ended: ${since}; its recording can be played until ${until}`, 'ended']
  }
  if (state === 'lost') {
    const left = Math.max(0, sinceMs + plan.resumeMs - nowMs)
    return [`the encoder of "${stream}" is gone: ${since}; it may come back for ${ago(left)}`, `lost: ${why}`]
  }
  const tracks = session!.tracks.map(({ name, codec }) => `${name} ${codec}`).join(', ')
  const encoder = session!.number === 0 ? 'its first encoder' : `encoder ${session!.number + 1}`
  const last = newsMs === null ? '' : `, last part ${ago(nowMs - newsMs)} ago`
  return [`"${stream}" is live: ${since}, ${encoder}${last}`, tracks]
}

function explainWindow(broadcast: Broadcast): Words {
  const { firstMsn, nextMsn, openParts, segments, seconds, octets, targetSeconds, session } = broadcast
  const first = segments[0]
  if (first === undefined) return ['the first segment is under way; who asks waits for it', 'no segment']
  const open = openParts === 0 ? '' : `, and ${plural(openParts, 'part')} of ${nextMsn}`
  const from = formatTime(wallOf(first))
  return [
    `segments ${firstMsn} to ${nextMsn - 1}${open}: ${ago(seconds * 1000)} to go back, to ${from}, ${formatSize(octets)}`,
    `target duration ${targetSeconds} s, parts up to ${session!.tracks[0]!.partSeconds} s`,
  ]
}

function explainAsked(broadcast: Broadcast, what: ViewedThing, url: URL): Words {
  const { state, session, targetSeconds } = broadcast
  const waits = `at most ${WAIT_TARGETS * targetSeconds} s, then 503`
  if (!('track' in what)) {
    if (what.kind === 'film' && state !== 'ended')
      return ['404', 'the film is there when the stream has ended']
    return [`200: ${WHAT[what.kind]}`, state]
  }
  const partSeconds = session!.tracks.find(({ name }) => name === what.track)?.partSeconds
  if (partSeconds === undefined) return [`404: the stream has no track ${what.track}`, 'tracks']
  if (what.kind === 'init') return ['200: what stands before the segments of an encoder', 'init']
  if (what.kind !== 'playlist') return explainMedia(broadcast, what, waits)
  const directives = readDirectives(url.searchParams)
  if (isRefusal(directives)) return [`${directives.status}: ${directives.reason}`, 'RFC 8216bis §6.2.5']
  const verdict = judgeReload(broadcast, directives, partSeconds)
  if (isRefusal(verdict)) return [`${verdict.status}: ${verdict.reason}`, 'RFC 8216bis §6.2.5.2']
  if (verdict === 'now') return ['200: the playlist as it is', directives.skip ? '_HLS_skip' : state]
  return [
    `held until segment ${directives.msn} has part ${directives.part ?? 'and all'}: ${waits}`,
    'blocking reload',
  ]
}

type Media = Extract<ViewedThing, { kind: 'segment' | 'part' }>

function explainMedia(broadcast: Broadcast, what: Media, waits: string): Words {
  const { firstMsn, nextMsn, openParts, open, state } = broadcast
  const { msn } = what
  if (msn < firstMsn)
    return [`404: segment ${msn} has left the window`, 'window, space; its file stays for a minute']
  const found = broadcast.segmentOf(msn)
  if (what.kind === 'part') {
    if (found?.parts[what.part] !== undefined) return ['200: the part', 'in its segment on disk']
    const isNext = msn === nextMsn && what.part === openParts && state === 'live'
    if (isNext) return [`held until the part is there: ${waits}`, 'it was hinted at (RFC 8216bis §6.2.6)']
    if (found !== undefined && found !== open && found.parts.length === 0)
      return [
        `404: parts of segment ${msn} are no longer told apart`,
        'three target durations (RFC 8216bis §6.2.2)',
      ]
  } else if (found !== undefined) {
    return found === open
      ? ['200: sent as it grows', 'the segment is under way']
      : ['200: the segment', 'on disk']
  }
  return [`404: the last segment is ${nextMsn - 1}, with ${plural(openParts, 'part')} of the next`, state]
}

const WHAT = {
  multivariant: 'the multivariant playlist',
  mpd: 'the MPD',
  time: 'what time it is here, for players of DASH',
  film: 'all of it as one file',
} as const

function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

function ago(ms: number): string {
  if (ms < 10_000) return formatDuration(Math.round(ms / 100) * 100)
  const seconds = Math.round(ms / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  if (hours > 0) return `${hours}h ${minutes}m`
  return minutes > 0 ? `${minutes}m ${seconds % 60}s` : `${seconds}s`
}
