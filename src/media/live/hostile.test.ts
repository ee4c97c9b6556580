import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CutFault, Cutter } from '#media/live/encoder/cutter.ts'
import { EncoderFault } from '#media/live/encoder/encoder.ts'
import { openInput } from '#media/live/encoder/open-input.ts'
import { MediaFault } from '#media/wire/fault.ts'
import { fragmentOctets, initOctets } from '../../../test/media/live-encoder.ts'
import { readSps } from './wire/h264.ts'
import type { Brought } from './wire/input.ts'
import { TsInput } from './wire/ts-input.ts'

const LIMIT = 1 << 20
const film = Buffer.concat([initOctets, ...Array.from({ length: 6 }, (_, i) => fragmentOctets(i))])

/** What an input brings of octets that come in pieces; faults that are told to the encoder end it. */
function readAll(octets: Buffer, pieces: readonly number[]): Brought[] {
  const brought: Brought[] = []
  try {
    const input = openInput(octets, LIMIT)
    let [at, i] = [0, 0]
    while (at < octets.length) {
      const end = at + (pieces[i++ % pieces.length] ?? octets.length)
      brought.push(...input.take(octets.subarray(at, end)))
      at = end
    }
    brought.push(...input.finish())
  } catch (error) {
    assert.ok(error instanceof MediaFault || error instanceof EncoderFault, String(error))
  }
  return brought
}

const pieceSizes = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 5 })

test('a stream is the same in whatever pieces it comes', () => {
  const whole = readAll(film, [film.length])
  assert.equal(whole.length, 1 + 30 + 52)
  fc.assert(
    fc.property(pieceSizes, (pieces) => {
      assert.deepEqual(readAll(film, pieces), whole)
    }),
    { numRuns: 40 },
  )
})

test('octets that were changed, cut or repeated are refused, or read within their limits', () => {
  const change = fc.record({
    at: fc.nat(film.length - 1),
    octets: fc.uint8Array({ minLength: 1, maxLength: 8 }),
  })
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 6 }),
      fc.nat(film.length),
      pieceSizes,
      (changes, end, pieces) => {
        const octets = Buffer.from(film)
        for (const { at, octets: other } of changes) octets.set(other.subarray(0, film.length - at), at)
        cutAll(readAll(octets.subarray(0, Math.max(8, end)), pieces))
      },
    ),
    { numRuns: 400 },
  )
})

/** Whatever was read can be cut, or is refused. */
function cutAll(brought: readonly Brought[]): void {
  const tracks = brought.find(({ kind }) => kind === 'tracks')
  if (tracks?.kind !== 'tracks') return
  const cutTracks = tracks.tracks.map(({ timescale, kind }) => ({ timescale, isVideo: kind === 'video' }))
  const cutter = new Cutter(cutTracks, {
    targetSeconds: 4,
    partSeconds: 0.4,
    bufferOctets: LIMIT,
    lateSeconds: 2,
  })
  try {
    for (const item of brought) if (item.kind === 'sample') cutter.take(item.track, item.sample)
    cutter.finish()
  } catch (error) {
    assert.ok(error instanceof CutFault, String(error))
  }
}

/** A packet of a transport stream, filled up with what belongs to its adaptation field. */
function packet(pid: number, begins: boolean, content: Buffer): Buffer {
  const fill = 184 - content.length
  const adaptation = fill === 0 ? Buffer.alloc(0) : Buffer.alloc(fill, 0xff)
  if (fill > 0) adaptation[0] = fill - 1
  if (fill > 1) adaptation[1] = 0
  const head = Buffer.from([0x47, (begins ? 0x40 : 0) | (pid >> 8), pid & 0xff, fill > 0 ? 0x30 : 0x10])
  return Buffer.concat([head, adaptation, content])
}

const PROGRAMS = packet(0, true, Buffer.from('0000b00d0001c100000001f00000000000', 'hex'))
const PROGRAM = packet(
  0x1000,
  true,
  Buffer.from('0002b0170001c10000e100f0001be100f0000fe101f00000000000', 'hex'),
)

test('packets of a transport stream that hold anything are refused, or read within their limits', () => {
  const content = fc.uint8Array({ minLength: 20, maxLength: 184 })
  const one = fc.tuple(fc.constantFrom(0, 0x100, 0x101, 0x1000), fc.boolean(), content)
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 60 }), (packets) => {
      const octets = packets.map(([pid, begins, given]) => {
        const filled = Buffer.from(given)
        if (begins && pid !== 0) Buffer.from('000001e000008080052100010001', 'hex').copy(filled)
        return packet(pid, begins, filled)
      })
      try {
        const input = new TsInput(LIMIT)
        input.take(Buffer.concat([PROGRAMS, PROGRAM, ...octets]))
        input.finish()
      } catch (error) {
        assert.ok(error instanceof MediaFault, String(error))
      }
    }),
    { numRuns: 200 },
  )
})

test('what is no stream is refused by its first octets, and a parameter set of anything is read to its end', () => {
  for (const text of ['<html>and so on', '\x1aE\xdf\xa3........', '#EXTM3U\n#EXT']) {
    assert.throws(() => openInput(Buffer.from(text, 'latin1'), LIMIT), EncoderFault, text)
  }
  assert.throws(() => new TsInput(LIMIT).take(Buffer.alloc(20_000, 1)), /no MPEG-TS/)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (octets) => {
      readSps(Buffer.from([0x67, ...octets]))
    }),
  )
})

test('a box may not be larger than what may be held in memory', () => {
  const huge = Buffer.from('7fffffff6d646174', 'hex')
  assert.throws(
    () => openInput(initOctets, LIMIT).take(Buffer.concat([initOctets, huge])),
    /1048576 are the limit/,
  )
})
