import type { Page } from 'playwright-core'
import { until } from './running.ts'

/** What the <video> of a page shows. */
export type Shown = {
  readonly at: number
  readonly durationSeconds: number
  readonly ahead: number
  readonly isPaused: boolean
  readonly isMuted: boolean
  readonly hasEnded: boolean
  readonly height: number
  readonly frames: number
  readonly error: string
}

/** Look at the <video> of a page. */
export function shown(page: Page): Promise<Shown> {
  return page.evaluate<Shown>(`(() => {
    const video = document.querySelector('video')
    const { currentTime: at, buffered, error } = video
    let ahead = 0
    for (let i = 0; i < buffered.length; i++)
      if (buffered.start(i) <= at + 0.25 && buffered.end(i) >= at) ahead = buffered.end(i) - at
    return {
      at, ahead, durationSeconds: video.duration, isPaused: video.paused, isMuted: video.muted,
      hasEnded: video.ended, height: video.videoHeight, frames: video.getVideoPlaybackQuality().totalVideoFrames,
      error: error === null ? '' : error.message,
    }
  })()`)
}

/** Wait until the picture is as it should be; says what it was like when it never is. */
export async function untilShown(page: Page, is: (now: Shown) => boolean, limitMs = 30_000): Promise<Shown> {
  let now = await shown(page)
  const holds = async (): Promise<boolean> => is((now = await shown(page)))
  await until(holds, limitMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(now)}`)
  })
  return now
}

/** The text of an element of a page. */
export function figure(page: Page, id: string): Promise<string> {
  return page.locator(`#${id}`).innerText()
}
