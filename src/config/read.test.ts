import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkText, fileText } from '../../test/planted/planted.ts'

const problemOf = (parts: Parameters<typeof fileText>[0]): string => {
  const { problems } = checkText(fileText(parts))
  assert.equal(problems.length, 1)
  return `${problems[0]!.message} Fix: ${problems[0]!.fix}`
}

test('readSettings() mends a port written as text', () => {
  assert.match(problemOf({ hosts: '"a": { "service": "8080" }' }), /Fix: 8080$/)
  assert.match(problemOf({ hosts: '', top: '"listen": { "http": "8080" },' }), /Fix: ":8080"$/)
})

test('readSettings() names each form once', () => {
  const says =
    'records.a.MX is 10; text in quotes, or a list, or an object with data, ttl, pool, policy is wanted.'
  assert.ok(problemOf({ records: '"a": { "MX": 10 }' }).includes(says))
})

/** What people write, and what is offered to be pasted. */
const meant: readonly (readonly [written: Parameters<typeof fileText>[0], fix: string])[] = [
  [{ records: '"@": { "MX": 10 }' }, '"10 mail.example.com"'],
  [{ records: '"@": { "MX": ["10 a.example.net", 20] }' }, '"10 mail.example.com"'],
  [{ records: '"@": { "CAA": true }' }, '"0 issue \\"letsencrypt.org\\""'],
  [{ records: '"a": "203.0.113.7"' }, '{ "A": "203.0.113.7" }'],
  [{ records: '"a": "2001:db8::7"' }, '{ "AAAA": "2001:db8::7" }'],
  [{ records: '"a": "v=spf1 -all"' }, '{ "TXT": "v=spf1 -all" }'],
  [{ records: '"a": "host.example.net"' }, '{ "CNAME": "host.example.net" }'],
  [{ hosts: '"a": { "service": "node server.js" }' }, '{ "run": "node server.js" }'],
  [{ hosts: '"a": { "service": "./start.sh" }' }, '{ "run": "./start.sh" }'],
  [
    { hosts: '"a": { "service": "10.0.0.5:80/x" }' },
    '"http://10.0.0.5:80", and beside "service": "rewrite": "/x/**"',
  ],
  [{ hosts: '"a": { "service": ":8081" }' }, '8081'],
  [{ hosts: '"a": 8081' }, '{ "service": 8081 }'],
  [{ hosts: '"a": "http://10.0.0.5:3000"' }, '{ "service": "http://10.0.0.5:3000" }'],
  [{ hosts: '"a": { "proxy_pass": "http://10.0.0.5:3000" }' }, '"service"'],
  [{ hosts: '"a": { "service": { "command": "node server.js" } }' }, '"run"'],
  [{ hosts: '"a": { "files": { "root": "/", "autoindex": true } }' }, '"listing"'],
  [{ hosts: '"a": { "listing": true, "files": "/" }' }, '"files": { "listing": true }'],
  [{ hosts: '"a": { "service": 81, "headers": { "request": { "X-A": "b" } } }' }, '"set": { "X-A": "b" }'],
  [{ hosts: '"a": { "service": 81, "limits": { "rate": "2M" } }' }, '"2MB/s"'],
  [{ hosts: '"a": { "service": 81, "limits": { "requests": "10/sec" } }' }, '"10/s"'],
  [{ hosts: '"a": { "service": 81, "cache": { "ttl": "10min" } }' }, '"10m"'],
  [{ hosts: '"a": { "bucket": { "root": "/", "maxSize": "50M" } }' }, '"50MiB"'],
  [{ hosts: '"a": { "bucket": { "root": "/", "maxSize": "50mb" } }' }, '"50MB"'],
  [{ hosts: '', top: '"certificates": "letsencrypt",' }, '{ "issuer": "letsencrypt" }'],
  [{ hosts: '', top: '"listen": { "dns": "0.0.0.0" },' }, '"0.0.0.0:53"'],
  [{ hosts: '', top: '"listen": { "http": 8080 },' }, '":8080"'],
  [{ hosts: '"a": { "service": "localhost" }' }, '"http://localhost"'],
]

for (const [parts, fix] of meant) {
  test(`readSettings() offers ${fix}`, () => {
    assert.ok(problemOf(parts).endsWith(` Fix: ${fix}`), problemOf(parts))
  })
}
