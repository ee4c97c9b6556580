/** How far an encoder is. */
export type Progress = {
  /** of the film, that are done */
  readonly seconds: number
  /** pictures that are done */
  readonly frames: number
  /** seconds of film a second; 0 while nothing is known */
  readonly speed: number
}

/** A line is short; more without an end is none of ffmpeg's. */
const LIMIT_LINE = 4096

/** Reads what `ffmpeg -progress` writes: `key=value` lines, of which `progress` ends each report. */
export class ProgressReader {
  #rest = ''
  #seconds = 0
  #frames = 0
  #speed = 0

  /** @returns the last report that ended in this text, or null */
  read(text: string): Progress | null {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop()!.slice(-LIMIT_LINE)
    let last: Progress | null = null
    for (const line of lines) {
      const [name, value = ''] = line.trim().split('=', 2)
      // Microseconds, or N/A before the first frame.
      if (name === 'out_time_us') this.#seconds = Math.max(0, Number(value) / 1e6) || this.#seconds
      if (name === 'frame') this.#frames = Number(value) || this.#frames
      if (name === 'speed') this.#speed = Number.parseFloat(value) || this.#speed
      if (name === 'progress') last = { seconds: this.#seconds, frames: this.#frames, speed: this.#speed }
    }
    return last
  }
}
