import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPasswordVerifier, hashPassword, type Verified } from './password.ts'

test('a password is verified against its hash, and not against another (RFC 7914 §2)', async () => {
  const passwords = createPasswordVerifier(() => 0)
  const [hash, other] = [await hashPassword('open sesame'), await hashPassword('open sesame')]
  assert.notEqual(hash, other)
  assert.match(hash, /^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}$/)
  assert.equal(await passwords.verify(hash, 'ann', 'open sesame'), true)
  assert.equal(await passwords.verify(hash, 'ann', 'open sesam'), false)
  assert.equal(await passwords.verify(undefined, 'bob', 'open sesame'), false)
})

test('a letter and its accent are one password however they are typed (RFC 8265 §4.2.1)', async () => {
  const hash = await hashPassword('caf\u00e9')
  assert.equal(await createPasswordVerifier(() => 0).verify(hash, 'ann', 'cafe\u0301'), true)
})

test('a right password is known for five minutes; a wrong one never is', async () => {
  let now = 0
  const passwords = createPasswordVerifier(() => now)
  const hash = await hashPassword('a')
  assert.equal(await passwords.verify(hash, 'ann', 'a'), true)
  assert.equal(await passwords.verify(hash, 'ann', 'b'), false)
  assert.equal(passwords.verify(hash, 'ann', 'a'), true)
  assert.ok(passwords.verify(hash, 'bob', 'a') instanceof Promise)
  const again = passwords.verify(hash, 'ann', 'b')
  assert.ok(again instanceof Promise)
  now = 300_000
  assert.ok(passwords.verify(hash, 'ann', 'a') instanceof Promise)
  assert.equal(await again, false)
})

test('the same password is computed once, and no more wait than there is room for', async () => {
  const passwords = createPasswordVerifier(() => 0)
  const cheap = (await hashPassword('a')).replace('ln=15', 'ln=13')
  assert.equal(passwords.verify(cheap, 'ann', 'x'), passwords.verify(cheap, 'ann', 'x'))
  const answers: Verified[] = Array.from({ length: 100 }, (_, i) =>
    passwords.verify(cheap, 'ann', `guess ${i}`),
  )
  assert.equal(answers.filter((answer) => answer === 'busy').length, 100 - 64 - 1)
  const computed = await Promise.all(answers.filter((answer) => answer !== 'busy'))
  assert.ok(computed.every((isRight) => isRight === false))
  assert.notEqual(passwords.verify(cheap, 'ann', 'later'), 'busy')
})
