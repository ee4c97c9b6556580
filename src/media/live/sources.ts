import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { Log } from '#core/log.ts'
import type { Refusal } from '#http/wire/refusal.ts'
import { findEncoder } from '#media/ladder/find-encoder.ts'
import type { Fed } from './request.ts'

/** A stream that ffmpeg fetches or receives. */
export type SourceWanted = {
  /** tells it from others: changed ones are stopped and started */
  readonly key: string
  readonly stream: string
  readonly url: string
  /** hands octets to the worker that takes the stream */
  readonly feed: (fed: Fed) => Promise<Refusal | null>
}

/** What `status` says of one. */
export type SourceState = {
  readonly stream: string
  readonly url: string
  readonly state: 'running' | 'waiting to restart' | 'stopped'
  readonly restarts: number
  /** why it ended last; null while it has not */
  readonly lastEnd: string | null
}

/** Programs that bring streams, under watch. */
export type Sources = {
  /** These and no others; those that are equal go on. */
  replace(wanted: readonly SourceWanted[]): void
  states(): SourceState[]
  close(): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** What ran for so long has not failed to start: the pause begins at the shortest again. */
const STEADY_MS = 10_000
/** Of what ffmpeg says, for the log. */
const LIMIT_WORDS = 500

/** Create the watch over sources. */
export function createSources(log: Log): Sources {
  const running = new Map<string, RunningSource>()
  return {
    replace(wanted) {
      const keys = new Set(wanted.map(({ key }) => key))
      for (const [key, source] of running) {
        if (keys.has(key)) continue
        source.stop()
        running.delete(key)
      }
      for (const one of wanted) if (!running.has(one.key)) running.set(one.key, new RunningSource(one, log))
    },
    states: () => [...running.values()].map((source) => source.state()),
    close() {
      for (const source of running.values()) source.stop()
      running.clear()
    },
  }
}

/** Starts ffmpeg, hands on what it writes as fast as it is taken, and starts it again with growing pauses. */
class RunningSource {
  readonly #wanted: SourceWanted
  readonly #log: Log
  #child: ChildProcessByStdio<null, Readable, Readable> | null = null
  #state: SourceState['state'] = 'running'
  #restarts = 0
  #lastEnd: string | null = null
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined
  /** somebody came who does not know the path */
  #isStrange = false

  constructor(wanted: SourceWanted, log: Log) {
    this.#wanted = wanted
    this.#log = log
    void this.#run()
  }

  state(): SourceState {
    const { stream, url } = this.#wanted
    return {
      stream,
      url: withoutSecrets(url),
      state: this.#state,
      restarts: this.#restarts,
      lastEnd: this.#lastEnd,
    }
  }

  stop(): void {
    this.#state = 'stopped'
    clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
  }

  async #run(): Promise<void> {
    this.#state = 'running'
    const startedMs = performance.now()
    const encoder = await findEncoder(process.env['PATH'] ?? '')
    if ((this.#state as string) === 'stopped') return
    if (encoder === null) return this.#again('ffmpeg is not installed. Fix: apt-get install ffmpeg', 0)
    const [program, ...words] = encoder
    const child = spawn(program!, [...words, ...argumentsFor(this.#wanted.url)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let said = ''
    this.#isStrange = false
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-LIMIT_WORDS)
      if (!isGuarded(this.#wanted.url) || !STRANGER.test(said)) return
      this.#isStrange = true
      child.kill('SIGKILL')
    })
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('close', (code, signal) =>
        resolve(said.trim() || `ffmpeg ended by ${signal ?? `exit code ${code}`}`),
      )
    })
    const refused = await this.#follow(child.stdout).catch((error: unknown) => String(error))
    child.kill('SIGKILL')
    const told = refused ?? (await ended)
    const why = this.#isStrange ? 'an encoder came with another path, and was sent away' : told
    this.#child = null
    await this.#wanted.feed(endOf(this.#wanted.stream)).catch(() => {})
    this.#again(withoutSecrets(why), performance.now() - startedMs)
  }

  /** @returns why what it brings is refused; null when it has ended by itself */
  async #follow(stdout: Readable): Promise<string | null> {
    let begins = true
    for await (const octets of stdout as AsyncIterable<Buffer>) {
      // What ffmpeg says of the path it has said before; it is read by now.
      if (begins) await new Promise((resolve) => setTimeout(resolve, HEAR_MS))
      if (this.#isStrange) return null
      const { stream, feed } = this.#wanted
      const refusal = await feed({
        stream,
        input: 'source',
        file: null,
        octets: new Uint8Array(octets),
        begins,
        isInit: begins,
      })
      begins = false
      if (refusal !== null) return refusal.reason
    }
    return null
  }

  #again(why: string, ranMs: number): void {
    // Stopped while it ran: nobody waits for it.
    if ((this.#state as string) === 'stopped') return
    this.#lastEnd = why
    this.#state = 'waiting to restart'
    this.#restarts++
    if (ranMs > STEADY_MS || this.#isStrange) this.#pauseMs = FIRST_PAUSE_MS
    this.#log('warning', 'live/source', { stream: this.#wanted.stream, why, restartMs: this.#pauseMs })
    this.#timer = setTimeout(() => void this.#run(), this.#pauseMs)
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS)
  }
}

/**
 * Nothing is encoded anew, and nothing waits: fragments of one frame, or packets as they come.
 *
 * What comes as MPEG-TS stays it: its sound has headers that MP4 has no place for.
 */
function argumentsFor(url: string): string[] {
  const listens = /^rtmps?:.*\?listen$/.test(url)
  const input = [
    ...(listens ? ['-listen', '1'] : []),
    ...(/^rtsps?:/.test(url) ? ['-rtsp_transport', 'tcp'] : []),
    ...['-i', listens ? url.replace(/\?listen$/, '') : url],
  ]
  const flags = 'empty_moov+default_base_moof+frag_every_frame+delay_moov'
  const format = /^rt[ms]/.test(url) ? ['-f', 'mp4', '-movflags', flags] : ['-f', 'mpegts', '-muxdelay', '0']
  const output = ['-map', '0:v?', '-map', '0:a?', '-c', 'copy', ...format, '-flush_packets', '1', 'pipe:1']
  // That an encoder came with another path is but a warning to ffmpeg, which takes what it sends.
  const level = isGuarded(url) ? 'warning' : 'error'
  return ['-hide_banner', '-loglevel', level, '-nostdin', ...input, ...output]
}

/** Whether the path keeps others out: RTMP that is waited for, with an application and a key. */
function isGuarded(url: string): boolean {
  return /^rtmps?:\/\/[^/]+\/[^/?]+\/[^?]+\?listen$/.test(url)
}

const STRANGER = /Unexpected stream|App field don't match up/
const HEAR_MS = 50

function endOf(stream: string): Fed {
  return { stream, input: 'source', file: null, octets: null, begins: false, isInit: false }
}

/** Passwords stand in URLs of cameras, and pass phrases in those of SRT. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//…@').replace(/(passphrase|streamid|key|token)=[^&\s]*/gi, '$1=…')
}
