import { type ChildProcess, spawn } from 'node:child_process'

/** A picture of 32 squares, eight in a row: the milliseconds since 1970, the highest bit first; light is 1. */
const [COLUMNS, ROWS, SQUARE] = [8, 4, 40]
const WIDTH = COLUMNS * SQUARE
const HEIGHT = ROWS * SQUARE
const FRAME_MS = 40

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
  const picture = [
    '-f',
    'rawvideo',
    '-pix_fmt',
    'gray',
    '-s',
    `${WIDTH}x${HEIGHT}`,
    '-r',
    '25',
    '-i',
    'pipe:0',
  ]
  const tone = ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000']
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
  const child = spawn(ffmpeg, words, { stdio: ['pipe', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (octets) => (said += octets))
  child.stdin.on('error', () => {})
  // As many frames as have passed, so that a busy machine does not slow the clock of the stream.
  const startedMs = performance.now()
  let frames = 0
  const timer = setInterval(() => {
    for (; frames * FRAME_MS <= performance.now() - startedMs; frames++)
      child.stdin.write(frameOf(Date.now()))
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
