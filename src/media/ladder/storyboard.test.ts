import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sizeOfJpeg, storyboardText } from './storyboard.ts'

test('a storyboard says where in the picture each stretch of the film is', () => {
  const text = storyboardText({
    ...{ picture: 'a%20film.storyboard.jpg', tiles: 12, everySeconds: 10, durationSeconds: 3595.5 },
    ...{ width: 160, height: 90 },
  })
  const cues = text.split('\n\n')
  assert.equal(cues.length, 13)
  assert.equal(cues[1], '00:00:00.000 --> 00:00:10.000\na%20film.storyboard.jpg#xywh=0,0,160,90')
  assert.equal(cues[12], '00:01:50.000 --> 00:02:00.000\na%20film.storyboard.jpg#xywh=160,90,160,90\n')
})

test('the size of a JPEG is read over segments before it, and only within what is there', () => {
  const app = [0xff, 0xe0, 0, 4, 1, 2]
  const tables = [0xff, 0xc4, 0, 3, 9]
  const frame = [0xff, 0xc0, 0, 17, 8, 0, 90, 0, 160, 3]
  const jpeg = Uint8Array.from([0xff, 0xd8, ...app, ...tables, ...frame])
  assert.deepEqual(sizeOfJpeg(jpeg), { width: 160, height: 90 })
  for (let octets = 0; octets < jpeg.length - 1; octets++)
    assert.equal(sizeOfJpeg(jpeg.subarray(0, octets)), null)
  assert.equal(sizeOfJpeg(Uint8Array.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff, 0xe0, 0, 0, 0, 0])), null)
})
