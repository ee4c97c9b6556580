import { DURATION_BOUNDS, type Histogram } from '#core/histogram.ts'
import { type Family, type FamilyName, type FamilyType, families } from './families.ts'
import type { Sample } from './sample.ts'

/** The two text formats that Prometheus reads. */
export type Exposition = { readonly mediaType: string; readonly text: string }

const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'
const PLAIN = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Write samples for Prometheus: OpenMetrics 1.0 for who accepts it, else the text format 0.0.4.
 *
 * @param accept the Accept field of the request
 */
export function expose(samples: readonly Sample[], accept = ''): Exposition {
  const isOpen = acceptsOpenMetrics(accept)
  const lines: string[] = []
  for (const [family, members] of Map.groupBy(samples, (sample) => sample.family)) {
    const { type, help, labels = [] }: Family = families[family]
    const name = isOpen ? family : `${family}${SUFFIX[type]}`
    lines.push(`# HELP ${name} ${escapeHelp(help, isOpen)}`, `# TYPE ${name} ${typeName(type, isOpen)}`)
    for (const { labels: values, value } of members) {
      const pairs = values.map((text, i) => `${labels[i]}="${escapeLabel(text)}"`)
      if (typeof value === 'number') lines.push(line(`${family}${SUFFIX[type]}`, pairs, value))
      else lines.push(...histogramLines(family, pairs, value))
    }
  }
  if (isOpen) lines.push('# EOF')
  return { mediaType: isOpen ? OPEN_METRICS : PLAIN, text: `${lines.join('\n')}\n` }
}

/** What stands behind the family's name in a sample; in the format 0.0.4 in HELP and TYPE too. */
const SUFFIX: Readonly<Record<FamilyType, string>> = {
  counter: '_total',
  gauge: '',
  histogram: '',
  info: '_info',
}

function typeName(type: FamilyType, isOpen: boolean): string {
  return type === 'info' && !isOpen ? 'gauge' : type
}

/** RFC 9110 §12.5.1: a quality of 0 says no. Prometheus prefers it with a higher quality than the plain text. */
function acceptsOpenMetrics(accept: string): boolean {
  return accept.split(',').some((range) => {
    const [mediaType = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    return mediaType === 'application/openmetrics-text' && !parameters.some((one) => /^q=0(\.0*)?$/.test(one))
  })
}

/** Buckets are cumulative here: each holds those of all lower bounds. */
function histogramLines(family: FamilyName, pairs: readonly string[], { buckets, sum }: Histogram): string[] {
  let below = 0
  const lines = buckets.map((count, i) => {
    below += count
    const bound = DURATION_BOUNDS[i]
    return line(`${family}_bucket`, [...pairs, `le="${bound === undefined ? '+Inf' : bound}"`], below)
  })
  return [...lines, line(`${family}_sum`, pairs, sum), line(`${family}_count`, pairs, below)]
}

function line(name: string, pairs: readonly string[], value: number): string {
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`
}

function escapeLabel(text: string): string {
  return text.replace(/["\\\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`))
}

/** The format 0.0.4 knows no escaped quote in HELP. */
function escapeHelp(text: string, isOpen: boolean): string {
  const escaped = text.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')
  return isOpen ? escaped.replace(/"/g, '\\"') : escaped
}
