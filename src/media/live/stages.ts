import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { Audience } from '#media/live/view/viewers.ts'
import type { AskLive, LiveFeed, LiveTold } from './request.ts'
import { Stage } from './stage.ts'

/** What is on air, as one worker knows it: a stage for each folder. */
export type Stages = {
  readonly stageOf: (root: string) => Stage
  told(told: LiveTold): void
  /** octets that another thread has read */
  feed(feed: LiveFeed): Promise<Refusal | null>
  /** who watches, of all folders */
  viewers(nowMs: number): Audience[]
}

/** Create the stages of a worker. @param ask the registers on the main thread */
export function createStages(worker: number, ask: AskLive): Stages {
  const stages = new Map<string, Stage>()
  return {
    stageOf(root) {
      const stage = stages.get(root) ?? new Stage(root, worker, ask)
      stages.set(root, stage)
      return stage
    },
    told: (told) => stages.get(told.root)?.told(told),
    feed: ({ root, fed }) => stages.get(root)?.feed(fed) ?? Promise.resolve(NOT_YET),
    viewers: (nowMs) => [...stages.values()].flatMap(({ root, viewers }) => viewers.list(root, nowMs)),
  }
}

const NOT_YET = refuse(503, 'this worker does not serve the stream yet')
