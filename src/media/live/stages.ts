import type { AskLive, LiveTold } from './request.ts'
import { Stage } from './stage.ts'

/** What is on air, as one worker knows it: a stage for each folder. */
export type Stages = {
  readonly stageOf: (root: string) => Stage
  told(told: LiveTold): void
}

/** Create the stages of a worker. @param ask the registers on the main thread */
export function createStages(ask: AskLive): Stages {
  const stages = new Map<string, Stage>()
  return {
    stageOf(root) {
      const stage = stages.get(root) ?? new Stage(root, ask)
      stages.set(root, stage)
      return stage
    },
    told: (told) => stages.get(told.root)?.told(told),
  }
}
