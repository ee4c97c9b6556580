import type { Exchange, Source } from '#http/exchange.ts'
import { type Refusal, refuse } from '#http/wire/refusal.ts'
import type { LivePlan } from '#media/live/plan.ts'
import type { Fed, FedFile } from '#media/live/request.ts'
import { respondEmpty, respondRefusal } from '#media/live/respond.ts'
import type { Stage } from '#media/live/stage.ts'
import { readInTime } from './ingest.ts'

export type PutFileOptions = {
  readonly stage: Stage
  readonly stream: string
  readonly plan: LivePlan
  readonly worker: number
  /** of the file */
  readonly file: string
}

/**
 * Take a file of an encoder that writes its stream as if to a folder: segments, and what stands before them.
 *
 * Each may come to another worker: the one that the first file came to takes them all. Playlists and MPDs are ours.
 */
export async function putFile(
  exchange: Exchange,
  { stage, stream, plan, worker, file }: PutFileOptions,
): Promise<void> {
  const { body } = exchange.request
  const named = nameOf(file)
  if (body === null || named === null) {
    if (body !== null) await drain(body, plan.silenceMs)
    return respondEmpty(exchange, 201)
  }
  const led = await stage.ask({ kind: 'lead', stream, worker })
  const owner = led.kind === 'led' ? led.worker : worker
  const { input, isInit } = named
  const id = `${worker} ${++lastFile}`
  let begins = true
  const hand = (octets: Uint8Array, isOver: boolean): Promise<Refusal | null> => {
    const { number, variant, needsInit } = named
    const file = { id, number, variant, needsInit, isOver }
    const fed: Fed = { stream, input, file, octets, begins, isInit }
    begins = false
    return owner === worker ? stage.feed(fed) : feedElsewhere(stage, owner, fed)
  }
  try {
    for (;;) {
      const octets = await readInTime(body, plan.silenceMs)
      const refusal = await hand(octets ?? NOTHING, octets === null)
      if (refusal !== null) return respondRefusal(exchange, refusal)
      if (octets === null) return respondEmpty(exchange, 201)
    }
  } catch (error) {
    // The file after this one does not wait for what will not come.
    await hand(NOTHING, true).catch(() => {})
    throw error
  }
}

const NOTHING = new Uint8Array()
let lastFile = 0

async function feedElsewhere(stage: Stage, worker: number, fed: Fed) {
  const reply = await stage.ask({
    kind: 'feed',
    worker,
    fed: { ...fed, octets: fed.octets && new Uint8Array(fed.octets) },
  })
  return reply.kind === 'fed'
    ? reply.refusal
    : refuse(503, 'the worker that takes this stream does not answer')
}

async function drain(body: Source, silenceMs: number): Promise<void> {
  while ((await readInTime(body, silenceMs)) !== null);
}

/** What the name of a file says of what is in it. */
export type FileName = {
  readonly input: string
  readonly isInit: boolean
} & Pick<FedFile, 'number' | 'variant' | 'needsInit'>

/**
 * What the name of a file says of what is in it: `chunk-stream0-00042.m4s` belongs to `init-stream0.m4s`.
 *
 * @returns null for what is no media
 */
export function nameOf(file: string): FileName | null {
  const [, name, type] = /^(.*)\.(m4s|mp4|m4v|m4a|cmf[vat]|ts)$/i.exec(file) ?? []
  if (name === undefined) return null
  // A whole track in one request, as DASH-IF live media ingest has it.
  if (/^cmf/i.test(type!)) return { input: name, isInit: false, ...NO_NUMBER }
  const isInit = /^init|[-_.]init$/i.test(name)
  const bare = name.replace(/^(?:init|chunk|segment|seg|media)[-_.]?|[-_.]init$/i, '')
  if (isInit) return { input: bare, isInit, ...NO_NUMBER }
  const [, input, digits] = /^(.*?)[-_.]?(\d{0,15})$/.exec(bare)!
  const needsInit = type!.toLowerCase() === 'm4s'
  return {
    input: input!,
    isInit,
    number: digits === '' ? null : Number(digits),
    // As ffmpeg names them: `out_10.m4s` is the first segment of the second variant, behind `init_1.mp4`.
    variant:
      needsInit && digits!.length > 1 ? { input: digits![0]!, number: Number(digits!.slice(1)) } : null,
    needsInit,
  }
}

const NO_NUMBER = { number: null, variant: null, needsInit: false } as const
