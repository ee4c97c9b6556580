import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nameOfPart, parseMediaTarget } from './media-path.ts'

const tag = '0123456789ab'
const names: [name: string, part: object][] = [
  ['index.m3u8', { kind: 'multivariant', segments: 'cmaf' }],
  ['ts.m3u8', { kind: 'multivariant', segments: 'ts' }],
  ['manifest.mpd', { kind: 'mpd' }],
  ['cmcd', { kind: 'reports' }],
  ['play', { kind: 'page', name: 'play' }],
  ['play/hls.0123456789abcdef.js', { kind: 'page', name: 'play/hls.0123456789abcdef.js' }],
  [`key-${tag}`, { kind: 'key', tag }],
  [`list-1-${tag}.m3u8`, { kind: 'playlist', segments: 'cmaf', track: 1, tag }],
  [`ts-2-${tag}.m3u8`, { kind: 'playlist', segments: 'ts', track: 2, tag }],
  [`keys-1-${tag}.m3u8`, { kind: 'key frames', track: 1, tag }],
  [`init-1-${tag}.mp4`, { kind: 'init', track: 1, tag }],
  [`seg-1-0-${tag}.m4s`, { kind: 'segment', segments: 'cmaf', track: 1, index: 0, tag }],
  [`seg-1-70-${tag}.ts`, { kind: 'segment', segments: 'ts', track: 1, index: 70, tag }],
  [
    `ts-1-${tag}-with-2.m3u8`,
    { kind: 'playlist', segments: 'ts', track: 1, tag, sound: { track: 2, of: null } },
  ],
  [
    `seg-1-7-${tag}-with-2-ba9876543210-a%20b.mp4.ts`,
    {
      ...{ kind: 'segment', segments: 'ts', track: 1, index: 7, tag },
      sound: { track: 2, of: { tag: 'ba9876543210', name: 'a%20b.mp4' } },
    },
  ],
  [`key-1-3-${tag}.m4s`, { kind: 'key frame', track: 1, index: 3, tag }],
  [`text-${tag}.vtt`, { kind: 'subtitles', tag }],
  [`text-4-${tag}.vtt`, { kind: 'cues', segments: 'cmaf', index: 4, tag }],
  [`tstext-4-${tag}.vtt`, { kind: 'cues', segments: 'ts', index: 4, tag }],
  [`text-${tag}.m3u8`, { kind: 'cue playlist', segments: 'cmaf', tag }],
  [`sub-3-${tag}.vtt`, { kind: 'subtitles', track: 3, tag }],
  [`sub-3-0-${tag}.vtt`, { kind: 'cues', segments: 'cmaf', track: 3, index: 0, tag }],
  [`tssub-3-0-${tag}.vtt`, { kind: 'cues', segments: 'ts', track: 3, index: 0, tag }],
  [`sub-3-${tag}.m3u8`, { kind: 'cue playlist', segments: 'cmaf', track: 3, tag }],
  [`tssub-3-${tag}.m3u8`, { kind: 'cue playlist', segments: 'ts', track: 3, tag }],
  [`tstext-${tag}.m3u8`, { kind: 'cue playlist', segments: 'ts', tag }],
]
for (const [name, part] of names) {
  test(`${name} is ${JSON.stringify(part)}, and is called so`, () => {
    const target = parseMediaTarget(`/a/film.mp4/${name}?x=1`, false)
    assert.deepEqual(target, { asset: '/a/film.mp4', part, query: 'x=1' })
    assert.equal(nameOfPart(target!.part), name)
  })
}

const others = [
  '/film.mp4',
  '/film.mp4/',
  '/film.mp4/other.m3u8',
  '/film.txt/index.m3u8',
  '/folder/index.m3u8',
  `/film.mp4/seg-01-0-${tag}.m4s`,
  `/film.mp4/seg-1-${tag}.m4s`,
  `/film.mp4/seg-1-0-${tag}.mp4`,
  `/film.mp4/seg-1-0-0123456789AB.m4s`,
  `/film.mp4/seg-1-9999999999-${tag}.m4s`,
  `/film.mp4/seg-1-0-${tag}-with-2.m4s`,
  `/film.mp4/seg-1-0-${tag}-with-2-${tag}-a.txt.ts`,
  `/film.mp4/ts-1-0-${tag}-with-2.ts`,
]
for (const target of others) {
  test(`${target} passes`, () => assert.equal(parseMediaTarget(target, false), null))
}

test('a folder has playlists of all its films, and nothing that belongs to one', () => {
  assert.equal(parseMediaTarget('/a/index.m3u8', true)?.asset, '/a')
  assert.equal(parseMediaTarget(`/a/seg-1-0-${tag}.m4s`, true), null)
  assert.equal(parseMediaTarget('/index.m3u8', true), null)
})

test('each part has one name, whatever is sent', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const target = parseMediaTarget(`/f.mp4/${name}`, true)
      const sent = name.split('?')[0]!
      if (target !== null && target.asset === '/f.mp4') assert.equal(nameOfPart(target.part), sent)
    }),
  )
})
