import { type ChildProcess, spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** A picture of 32 squares, eight in a row: the milliseconds since 1970, the highest bit first; light is 1. */
const [COLUMNS, ROWS, SQUARE] = [8, 4, 40]
const WIDTH = COLUMNS * SQUARE
const HEIGHT = ROWS * SQUARE
const FRAME_MS = 40
const SAMPLE_RATE = 48_000
const FRAME_SAMPLES = (SAMPLE_RATE * FRAME_MS) / 1000

/** An encoder whose picture is the time at which it was taken. */
export type ClockEncoder = {
  readonly child: ChildProcess
  /** what it complained of */
  complaints(): string
  stop(): Promise<void>
}

/**
 * Start ffmpeg with a clock in its picture, and a tone.
 *
 * @param output its last arguments: format and URL
 */
export function startClock(ffmpeg: string, output: readonly string[]): ClockEncoder {
  const picture = `-f rawvideo -pix_fmt gray -s ${WIDTH}x${HEIGHT} -r 25 -i pipe:0`.split(' ')
  const tone = `-f s16le -ar ${SAMPLE_RATE} -ac 1 -i pipe:3`.split(' ')
  const video = '-c:v libx264 -preset ultrafast -tune zerolatency -g 50 -pix_fmt yuv420p -crf 18'.split(' ')
  const words = [
    '-hide_banner',
    '-loglevel',
    'error',
    ...picture,
    ...tone,
    ...video,
    '-c:a',
    'aac',
    ...output,
  ]
  const child = spawn(ffmpeg, words, { stdio: ['pipe', 'ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr!.on('data', (octets) => (said += octets))
  const [pictures, sound] = [child.stdin!, child.stdio[3] as Writable]
  for (const pipe of [pictures, sound]) pipe.on('error', () => {})
  // As many frames as have passed, with their sound: neither a busy machine nor an ffmpeg that starts slowly stays behind.
  const startedMs = performance.now()
  let frames = 0
  const timer = setInterval(() => {
    for (; frames * FRAME_MS <= performance.now() - startedMs; frames++) {
      pictures.write(frameOf(Date.now()))
      sound.write(toneOf(frames))
    }
  }, FRAME_MS / 4)
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void ended.then(() => clearInterval(timer))
  return {
    child,
    complaints: () => said,
    stop() {
      child.kill('SIGKILL')
      return ended
    },
  }
}

function frameOf(ms: number): Buffer {
  const frame = Buffer.alloc(WIDTH * HEIGHT)
  for (let bit = 0; bit < COLUMNS * ROWS; bit++) {
    if (Math.floor(ms / 2 ** (31 - bit)) % 2 === 0) continue
    const [left, top] = [(bit % COLUMNS) * SQUARE, Math.floor(bit / COLUMNS) * SQUARE]
    for (let y = 0; y < SQUARE; y++)
      frame.fill(255, (top + y) * WIDTH + left, (top + y) * WIDTH + left + SQUARE)
  }
  return frame
}

/** The sound of a frame: 400 Hz, of which each frame has whole waves. */
function toneOf(frame: number): Buffer {
  const samples = Int16Array.from({ length: FRAME_SAMPLES }, (_, i) => {
    return 3000 * Math.sin((2 * Math.PI * 400 * (frame * FRAME_SAMPLES + i)) / SAMPLE_RATE)
  })
  return Buffer.from(samples.buffer)
}

/** JavaScript for a page: how long ago the picture that is shown was taken, in milliseconds; null when there is none. */
export const READ_CLOCK: string = `(() => {
  const video = document.querySelector('video')
  if (video.videoWidth === 0) return null
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT})
  const context = canvas.getContext('2d', { willReadFrequently: true })
  context.drawImage(video, 0, 0, ${WIDTH}, ${HEIGHT})
  let ms = 0
  for (let bit = 0; bit < ${COLUMNS * ROWS}; bit++) {
    const x = (bit % ${COLUMNS}) * ${SQUARE} + ${SQUARE / 2}
    const y = Math.floor(bit / ${COLUMNS}) * ${SQUARE} + ${SQUARE / 2}
    ms = ms * 2 + (context.getImageData(x, y, 1, 1).data[0] > 127 ? 1 : 0)
  }
  return (((Date.now() - ms) % 2 ** 32) + 2 ** 32) % 2 ** 32
})()`
