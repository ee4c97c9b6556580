import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPublished } from '#media/live/view/asked.ts'
import { type FileName, nameOf } from './put-file.ts'

test('names of files say which of them belong together', () => {
  const cases: [file: string, expected: string | null][] = [
    ['init-stream0.m4s', 'stream0 init'],
    ['chunk-stream0-00042.m4s', 'stream0 42 or 0 42 needs init'],
    ['init_2.mp4', '2 init'],
    ['init.mp4', ' init'],
    ['index17.m4s', 'index 17 or 1 7 needs init'],
    ['out_110.m4s', 'out 110 or 1 10 needs init'],
    ['out_1.m4s', 'out 1 needs init'],
    ['studio_720p_00042.ts', 'studio_720p 42'],
    ['seg-7.ts', ' 7'],
    ['manifest.mpd', null],
    ['index.m3u8', null],
    ['stream.key', null],
  ]
  for (const [file, expected] of cases) {
    const named = nameOf(file)
    assert.equal(named === null ? null : wordsOf(named), expected, file)
  }
})

function wordsOf({ input, isInit, number, variant, needsInit }: FileName): string {
  const other = variant === null ? '' : ` or ${variant.input} ${variant.number}`
  return `${input}${isInit ? ' init' : ''}${number === null ? '' : ` ${number}`}${other}${needsInit ? ' needs init' : ''}`
}

test('a track of DASH-IF live media ingest is an input of its own, under its whole name', () => {
  const published = readPublished('/studio/Streams(video-720.cmfv)')
  assert.deepEqual(published, { stream: 'studio', file: 'video-720.cmfv' })
  assert.equal(nameOf(published!.file!)!.input, 'video-720')
})
