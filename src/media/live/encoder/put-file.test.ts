import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readPublished } from '#media/live/view/asked.ts'
import { type FileName, nameOf } from './put-file.ts'

test('names of files say which of them belong together', () => {
  const cases: [file: string, expected: string | null][] = [
    ['init-stream0.m4s', 'stream0 init'],
    ['chunk-stream0-00042.m4s', 'stream0 42 needs init'],
    ['init_2.mp4', '2 init'],
    ['init.mp4', ' init'],
    ['index17.m4s', 'index 17 needs init'],
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

function wordsOf({ input, isInit, number, needsInit }: FileName): string {
  return `${input}${isInit ? ' init' : ''}${number === null ? '' : ` ${number}`}${needsInit ? ' needs init' : ''}`
}

test('a track of DASH-IF live media ingest is an input of its own, under its whole name', () => {
  const published = readPublished('/studio/Streams(video-720.cmfv)')
  assert.deepEqual(published, { stream: 'studio', file: 'video-720.cmfv' })
  assert.equal(nameOf(published!.file!)!.input, 'video-720')
})
