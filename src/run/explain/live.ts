import type { Position } from '#core/problem.ts'
import { formatDuration, formatSize } from '#core/units.ts'
import type { LivePlan } from '#media/live/plan.ts'
import { type Step, step } from './step.ts'

/** Who may publish, how far viewers are behind, and what is kept. */
export function explainLive(plan: LivePlan, at: Position): Step[] {
  const { segmentMs, partMs, windowMs, spaceOctets, silenceMs, resumeMs, recordingMs, publishers } = plan
  const end = recordingMs === 0 ? 'deleted' : `played for ${formatDuration(recordingMs)} more`
  return [
    step('live', PUBLISHERS[publishers], `publishers: ${publishers}`, at),
    step(
      'live',
      `parts of ${formatDuration(partMs)} in segments of up to ${formatDuration(segmentMs)}: viewers of low-latency HLS are ${formatDuration(3 * partMs)} behind the last part`,
      'PART-HOLD-BACK is three parts (RFC 8216bis §4.4.3.8)',
      at,
    ),
    step(
      'live',
      `viewers can go back ${formatDuration(windowMs)}, at most ${formatSize(spaceOctets)} of a stream`,
      'window, space',
      at,
    ),
    step(
      'live',
      `an encoder that is silent for ${formatDuration(silenceMs)} is lost; ${formatDuration(resumeMs)} later its stream ends, and is ${end}`,
      'silence, resume, recording',
      at,
    ),
  ]
}

const PUBLISHERS: Readonly<Record<LivePlan['publishers'], string>> = {
  keys: 'encoders send with a key; others get 401',
  admitted: 'whoever "access" lets in may send a stream',
  local: 'programs of this machine may send a stream; others get 403',
}
