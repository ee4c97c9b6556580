import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkText, fileText } from '../../test/planted/planted.ts'
import { planAccess, planRate } from './plan.ts'

const HASH = '$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8'
const at = () => ({ file: 'portico.jsonc', line: 1, column: 1 })

test('planAccess() lets everyone in when nothing is written, and when "none" is', () => {
  for (const written of [undefined, 'none', {}] as const) {
    assert.deepEqual(planAccess(written, 'a', at), { access: null, problems: [] })
  }
})

test('planAccess() never repeats what may be a password', () => {
  const { problems } = planAccess({ basic: { users: { ann: 'open sesame' } } }, 'a', at)
  assert.equal(problems.length, 1)
  assert.doesNotMatch(JSON.stringify(problems), /open sesame/)
  assert.match(problems[0]?.fix ?? '', /portico hash-password/)
})

test('planRate() spreads requests over their second, minute or hour', () => {
  const rate = (requests: string, burst?: number): unknown => {
    return planRate({ requests, ...(burst === undefined ? {} : { burst }) }, 'host:a', at).rate
  }
  assert.deepEqual(rate('100/s', 200), { id: 'host:a', intervalMs: 10, burst: 200 })
  assert.deepEqual(rate('30/m'), { id: 'host:a', intervalMs: 2000, burst: 30 })
  assert.deepEqual(rate('1/h'), { id: 'host:a', intervalMs: 3_600_000, burst: 1 })
})

const basic = `"access": { "basic": { "users": { "ann": "${HASH}" } } }`
const routes = `"http": "serve", "routes": { "/a": { "service": 8081 }, "/b": { "service": 8082, "access": "none" } }`

test("a route takes its host's access and limits, or its own, and a host's fault is told once", () => {
  const hosts = `"a": { ${basic}, "limits": { "requests": "1/s" }, ${routes} }`
  const { plan } = checkText(fileText({ hosts }))
  const found = plan?.http.hosts[0]?.routes.map(({ pattern, access, rate }) => {
    return `${pattern} ${access?.basic?.users[0]?.[0]} ${rate?.id}`
  })
  assert.deepEqual(found, ['/a ann host:a.example.com', '/b undefined host:a.example.com'])
  const wrong = `"a": { "access": { "allow": "10.0.0.0/99" }, "limits": { "burst": 9 }, ${routes} }`
  const { problems } = checkText(fileText({ hosts: wrong }))
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['access/not-a-network', 'access/burst-alone'],
  )
})

test('passwords over plain HTTP are warned of, unless a proxy stands before (RFC 7617 §4, RFC 6750 §5.3)', () => {
  const codes = (hosts: string, top = ''): string[] => {
    return checkText(fileText({ hosts, top })).problems.map(({ code }) => code)
  }
  assert.deepEqual(codes(`"a": { "service": 8081, ${basic} }`), [])
  assert.deepEqual(codes(`"a": { "service": 8081, "http": "serve", ${basic} }`), ['access/in-clear'])
  assert.deepEqual(codes(`"a": { "service": 8081, "http": "serve", ${basic} }`, '"trust": ["10.0.0.1"],'), [])
})

test('a key of a Plan changes with access and limits, so that a reload takes them', () => {
  const keys = [
    '',
    `, ${basic}`,
    ', "limits": { "requests": "1/s" }',
    ', "access": { "deny": "10.0.0.1" }',
  ].map((more) => {
    return checkText(fileText({ hosts: `"a": { "service": 8081${more} }` })).plan?.key
  })
  const top = '"limits": { "client": { "connections": 5 } },'
  keys.push(checkText(fileText({ hosts: '"a": { "service": 8081 }', top })).plan?.key)
  keys.push(
    checkText(fileText({ hosts: '"a": { "service": 8081 }', top: '"limits": { "memory": "1GiB" },' })).plan
      ?.key,
  )
  assert.equal(new Set(keys).size, 6)
})
