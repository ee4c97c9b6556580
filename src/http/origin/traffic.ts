import { countDuration, HISTOGRAM_CELLS, type Histogram, readHistogram } from '#core/histogram.ts'

/** Counts of what one origin was asked and how it answered. */
export class Traffic {
  requests = 0
  /** requests that had no answer, or one by which a circuit counts a failure (5xx) */
  failures = 0
  /** requests that were sent here after another attempt had failed */
  retries = 0
  readonly #answers = new Float64Array(HISTOGRAM_CELLS)

  /** @param status 0 when there was no answer */
  answered(status: number, milliseconds: number): void {
    if (status === 0 || status >= 500) this.failures++
    if (status !== 0) countDuration(this.#answers, 0, milliseconds)
  }

  /** From the request's last octet of head to the head of the response. */
  durations(): Histogram {
    return readHistogram(this.#answers, 0)
  }
}
