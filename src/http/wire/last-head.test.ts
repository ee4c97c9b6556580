import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Input } from './input.ts'
import { LastHead } from './last-head.ts'

function inputOf(...pieces: string[]): Input {
  const input = new Input()
  for (const piece of pieces) input.append(Buffer.from(piece, 'latin1'))
  return input
}

const HEAD = 'GET /a HTTP/1.1\r\nHost: b\r\n\r\n'

/** A last head after `HEAD` was read. */
function lastHead(): LastHead<string> {
  const last = new LastHead<string>()
  last.keep(HEAD, 'read')
  return last
}

const TABLE: readonly (readonly [string, Input, boolean, number])[] = [
  ['the same head', inputOf(HEAD), true, 0],
  ['the same head before something else', inputOf(`${HEAD}rest`), true, 4],
  ['the same head in pieces', inputOf(HEAD.slice(0, 9), HEAD.slice(9)), true, 0],
  ['a head that is not complete', inputOf(HEAD.slice(0, -1)), false, HEAD.length - 1],
  ['another head of the same length', inputOf(HEAD.replace('/a', '/c')), false, HEAD.length],
  ['a longer head that begins alike', inputOf(`${HEAD.slice(0, -2)}X: 1\r\n\r\n`), false, HEAD.length + 6],
  ['nothing', inputOf(), false, 0],
]

for (const [name, input, isSame, left] of TABLE) {
  test(`match() ${isSame ? 'knows' : 'does not take'} ${name}`, () => {
    assert.equal(lastHead().match(input), isSame ? 'read' : undefined)
    assert.equal(input.length, left)
  })
}

test('match() knows nothing before the first head, and no head of more than 2048 octets', () => {
  const last = new LastHead<string>()
  assert.equal(last.match(inputOf(HEAD)), undefined)
  const long = `GET /${'a'.repeat(2048)} HTTP/1.1\r\n\r\n`
  last.keep(long, 'read')
  assert.equal(last.match(inputOf(long)), undefined)
})
