import { messageOf } from '#core/errors.ts'
import type { Exchange, Source } from '#http/exchange.ts'
import { refuse } from '#http/wire/refusal.ts'
import { respondEmpty } from '#media/live/respond.ts'
import type { Input } from '#media/live/wire/input.ts'
import { Encoder, EncoderFault, type EncoderOptions, faultOf } from './encoder.ts'
import { openInput } from './open-input.ts'

const READ_OCTETS = 65_536

/**
 * Follow an encoder that sends one request for as long as it is on air.
 *
 * It is read from as fast as its stream can be written, so that what waits, waits in the encoder.
 */
export async function ingest(exchange: Exchange, options: EncoderOptions): Promise<void> {
  const { body } = exchange.request
  if (body === null)
    throw new EncoderFault(refuse(400, 'a stream is the content of the request, and there is none'))
  body.unlimit?.()
  const encoder = new Encoder(options)
  let why = 'the encoder ended its request'
  try {
    await follow(body, encoder, options)
  } catch (error) {
    const told = faultOf(error)
    why = messageOf(told)
    throw told
  } finally {
    await encoder.finish(why)
  }
  respondEmpty(exchange, 201)
}

async function follow(body: Source, encoder: Encoder, { plan, stream }: EncoderOptions): Promise<void> {
  let input: Input | null = null
  let first = 0
  let tracksKnown = false
  for (;;) {
    const octets = await readInTime(body, plan.silenceMs)
    if (octets === null) break
    input ??= openInput(octets, plan.bufferOctets)
    const brought = input.take(octets)
    for (const item of brought) {
      if (item.kind !== 'tracks') continue
      first = encoder.addTracks(item.tracks)
      tracksKnown = true
    }
    await encoder.take(brought, first, tracksKnown)
  }
  await encoder.take(input?.finish() ?? [], first, tracksKnown)
  if (!encoder.isOnAir) {
    throw new EncoderFault(refuse(422, `"${stream}" ended before its first key frame`))
  }
}

/**
 * Read from an encoder.
 *
 * @throws {EncoderFault} when nothing comes for so long, or it breaks off
 */
export async function readInTime(body: Source, silenceMs: number): Promise<Uint8Array | null> {
  const octets = body.read(READ_OCTETS)
  if (!(octets instanceof Promise)) return octets
  const { promise: silence, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    reject(new EncoderFault(refuse(408, `nothing came for ${silenceMs} ms`)))
    body.cancel('client too slow')
  }, silenceMs)
  try {
    return await Promise.race([octets, silence])
  } catch (error) {
    if (error instanceof EncoderFault) throw error
    throw new EncoderFault(refuse(400, 'the encoder broke off'))
  } finally {
    clearTimeout(timer)
  }
}
