import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseScryptHash, printScryptHash } from './phc.ts'

const salt = 'AAECAwQFBgcICQoLDA0ODw'
const hash = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'

test('a hash is printed as it was read (RFC 7914 §2)', () => {
  for (const text of [`$scrypt$ln=15,r=8,p=1$${salt}$${hash}`, `$scrypt$ln=17,r=8,p=16$${salt}$${hash}`]) {
    assert.equal(printScryptHash(parseScryptHash(text)!), text)
  }
})

const others = [
  'secret',
  '',
  '$2y$10$abcdefghijklmnopqrstuv',
  `$scrypt$ln=10,r=8,p=1$${salt}$${hash}`,
  `$scrypt$ln=21,r=8,p=1$${salt}$${hash}`,
  `$scrypt$ln=99,r=99,p=1$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=0$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=99$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=1$${salt}$`,
  `$scrypt$ln=15,r=8,p=1$AAEC$${hash}`,
  ` $scrypt$ln=15,r=8,p=1$${salt}$${hash}`,
  `$scrypt$ln=15,r=8,p=1$${salt}$${hash}=`,
]

for (const text of others) {
  test(`another form or cost is no hash: ${text.slice(0, 30)}`, () => {
    assert.equal(parseScryptHash(text), undefined)
  })
}

test('no text makes parseScryptHash() throw or ask for 256 MiB', () => {
  const part = fc.string({ unit: fc.constantFrom(...'$scryptln=,0123456789rpA/+'), maxLength: 40 })
  fc.assert(
    fc.property(part, fc.nat(99), fc.nat(99), fc.nat(99), (end, ln, r, p) => {
      const parsed = parseScryptHash(`$scrypt$ln=${ln},r=${r},p=${p}$${salt}$${hash}`)
      assert.ok(parsed === undefined || 128 * parsed.cost * parsed.blockSize < 2 ** 28)
      parseScryptHash(`$scrypt$${end}`)
    }),
  )
})
