import assert from 'node:assert/strict'
import { test } from 'node:test'
import { folderGroupOf, groupOf } from './group.ts'

const names = [
  'film.mp4',
  'film.1080.mp4',
  'film.720p.hevc.mp4',
  'film.de.m4a',
  'film.en.vtt',
  'film.pt-BR.forced.srt',
  'film.vtt',
  'film.part2.mp4',
  'film.mov',
  'film.jpg',
  'filmstar.mp4',
  'other.mp4',
]

test('groupOf() finds renditions, languages and subtitles by name, and leaves other films', () => {
  assert.deepEqual(groupOf('film.mp4', names), {
    films: [
      { name: 'film.1080.mp4', language: null },
      { name: 'film.720p.hevc.mp4', language: null },
      { name: 'film.de.m4a', language: 'de' },
      { name: 'film.mp4', language: null },
    ],
    subtitles: [
      { name: 'film.en.vtt', language: 'en', isForced: false },
      { name: 'film.pt-BR.forced.srt', language: 'pt-BR', isForced: true },
      { name: 'film.vtt', language: null, isForced: false },
    ],
  })
})

test('a film that is not there has its renditions all the same', () => {
  const group = groupOf('film.mp4', names.slice(1, 3))
  assert.deepEqual(
    group.films.map(({ name }) => name),
    ['film.1080.mp4', 'film.720p.hevc.mp4'],
  )
})

test('a rendition that is asked for is offered alone', () => {
  const group = groupOf('film.1080.mp4', names)
  assert.deepEqual(
    group.films.map(({ name }) => name),
    ['film.1080.mp4'],
  )
})

test('folderGroupOf() takes all films of a folder', () => {
  const group = folderGroupOf(['1080.mp4', '720.mp4', 'audio.fr.m4a', 'en.vtt', 'notes.txt'])
  assert.deepEqual(
    group.films.map(({ language }) => language),
    [null, null, 'fr'],
  )
  assert.deepEqual(
    group.subtitles.map(({ language }) => language),
    ['en'],
  )
})
