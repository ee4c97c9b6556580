import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openMovie } from '#media/movie/open.ts'
import { box } from '#media/wire/bmff-write.ts'
import { beforeMovie, movieBox, textTrack, videoTrack, written } from '../../../test/media/handmade-film.ts'
import { memoryFile } from '../../../test/media/media-files.ts'
import { endOfText, readTextTrack } from './text-track.ts'

const cue = (text: string): Uint8Array => box('vttc', box('payl', text))
const samples = [cue('one'), Buffer.concat([cue('one'), cue('two')]), box('vtte')]
const octets = samples.map(({ length }) => length)
const film = Buffer.concat([
  beforeMovie(60 + octets.reduce((sum, each) => sum + each, 0)),
  written(movieBox(videoTrack(1), textTrack(2, octets))),
])
film.set(Buffer.concat(samples), 84)

test('WebVTT in a film is read by its samples, and what goes on in the next is one cue (ISO 14496-30 §7.4)', async () => {
  const file = memoryFile(film)
  const movie = await openMovie(file)
  const text = movie.tracks.find(({ kind }) => kind === 'text')!
  assert.equal(text.codec, 'wvtt')
  assert.ok(movie.durationSeconds < 1, 'the pictures say how long it is')
  const { cues } = await readTextTrack(file, text, { fromMs: 0, toMs: Number.POSITIVE_INFINITY })
  const early = text.offsetTicks / 12.8
  assert.deepEqual(
    cues.map(({ startMs, endMs, text: said }) => [startMs, endMs, said]),
    [
      [early, 2000 + early, 'one'],
      [1000 + early, 2000 + early, 'two'],
    ],
  )
  assert.equal(endOfText(text), 3000 + early)
  const later = await readTextTrack(file, text, { fromMs: 1500, toMs: 9000 })
  assert.equal(later.cues.length, 2)
})

test('a film whose subtitles are broken is played without them', async () => {
  const moov = movieBox(videoTrack(1), textTrack(2, [1_000_000]))
  const movie = await openMovie(memoryFile(Buffer.concat([beforeMovie(200), written(moov)])))
  assert.deepEqual(
    movie.tracks.map(({ kind }) => kind),
    ['video'],
  )
})
