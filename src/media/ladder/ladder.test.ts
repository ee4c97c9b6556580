import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FilmFacts, HEIGHTS, isOriginal, ladderOf, nameOfRendition } from './ladder.ts'

const film: FilmFacts = {
  height: 1080,
  frameRate: 25,
  bitsPerSecond: 6_000_000,
  codec: 'avc1.640028',
  durationSeconds: 60,
  hasOddSound: false,
  hasSound: true,
}
const options = { heights: HEIGHTS, byComplexity: false, loudness: false, storyboard: false }

const heightCases: readonly [what: string, facts: Partial<FilmFacts>, heights: readonly number[]][] = [
  ['a film of 1080 lines is its own best', {}, [240, 360, 480, 720]],
  [
    'one that wastes bits has a rendition of its own height',
    { bitsPerSecond: 9e6 },
    [240, 360, 480, 720, 1080],
  ],
  [
    'so has one of a codec that not every browser plays',
    { codec: 'hvc1.1.6.L93.B0' },
    [240, 360, 480, 720, 1080],
  ],
  ['1072 lines are 1080', { height: 1072 }, [240, 360, 480, 720]],
  ['1088 lines are 1080', { height: 1088 }, [240, 360, 480, 720]],
  ['800 lines are more than 720', { height: 800 }, [240, 360, 480, 720]],
  ['none is taller than the film', { height: 300 }, [240]],
  ['a tiny film has none', { height: 120 }, []],
]
for (const [what, facts, heights] of heightCases) {
  test(`ladder: ${what}`, () => {
    const ladder = ladderOf({ ...film, ...facts }, options)
    assert.deepEqual(
      ladder.map((rendition) => rendition.kind === 'video' && rendition.height),
      heights,
    )
  })
}

test('ladder: bit rates rise with the height, with the frames, and never above what the film has', () => {
  const rates = (facts: Partial<FilmFacts>): number[] =>
    ladderOf({ ...film, ...facts }, options).map((one) => (one.kind === 'video' ? one.bitsPerSecond : 0))
  assert.deepEqual(rates({}), [350_000, 750_000, 1_300_000, 2_800_000])
  assert.deepEqual(rates({ frameRate: 50 }), [525_000, 1_125_000, 1_950_000, 4_200_000].map(notAbove(film)))
  const thin = rates({ bitsPerSecond: 500_000 })
  assert.ok(thin.every((rate, i) => rate <= 600_000 && rate >= (thin[i - 1] ?? 0)))
})

function notAbove({ bitsPerSecond, height }: FilmFacts) {
  return (rate: number, i: number): number => {
    return Math.min(rate, Math.round(bitsPerSecond * ([240, 360, 480, 720][i]! / height) ** 1.5 * 1.2))
  }
}

test('ladder: sound is made where the film has none that is offered, or all shall be equally loud', () => {
  const kinds = (facts: Partial<FilmFacts>, loudness = false): string[] => {
    return ladderOf({ ...film, ...facts, height: 200 }, { ...options, loudness }).map(({ kind }) => kind)
  }
  assert.deepEqual(kinds({}), [])
  assert.deepEqual(kinds({ hasSound: false, hasOddSound: true }), ['audio'])
  assert.deepEqual(kinds({}, true), ['audio'])
  assert.deepEqual(kinds({ hasSound: false }, true), [])
})

test('ladder: a storyboard has a tile a second, and of long films 300 at most', () => {
  const storyboard = (durationSeconds: number) =>
    ladderOf({ ...film, durationSeconds }, { ...options, storyboard: true })[0]
  assert.deepEqual(storyboard(12.5), { kind: 'storyboard', everySeconds: 1, tiles: 13 })
  assert.deepEqual(storyboard(7200), { kind: 'storyboard', everySeconds: 24, tiles: 300 })
})

test('renditions are called as the packager finds them, and are no films of which there are renditions', () => {
  for (const [name, original] of [
    ['my.film.mp4', true],
    ['film.1080.mp4', false],
    ['film.aac.m4a', false],
    ['.film.mp4', false],
    ['film.txt', false],
    ['1080.mp4', true],
  ] as const)
    assert.equal(isOriginal(name), original, name)
  const made = ladderOf(film, { ...options, storyboard: true, loudness: true })
  assert.deepEqual(
    made.map((rendition) => nameOfRendition('a film.mov', rendition)),
    [
      'a film.storyboard.jpg',
      'a film.aac.m4a',
      'a film.240.mp4',
      'a film.360.mp4',
      'a film.480.mp4',
      'a film.720.mp4',
    ],
  )
})
