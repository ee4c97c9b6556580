import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentKey } from '#core/node.ts'
import { checkText, fileText } from '../../test/planted/planted.ts'
import type { ServicePlan } from './service-plan.ts'

function planned(service: string): ServicePlan {
  const { plan, problems } = checkText(fileText({ hosts: `"a": { "service": ${service} }` }))
  assert.deepEqual(problems, [])
  return plan!.http.hosts[0]!.routes[0]!.action as ServicePlan
}

test('planService() adds nothing to a plain service, however it is written', () => {
  const plain = planned('"http://10.0.0.5:3000"')
  assert.deepEqual(Object.keys(plain), ['kind', 'origins', 'processId'])
  assert.deepEqual(Object.keys(plain.origins[0]!), ['id', 'scheme', 'host', 'port', 'authority', 'verify'])
  const same = [
    '["http://10.0.0.5:3000"]',
    '{ "url": "http://10.0.0.5:3000" }',
    '{ "url": [{ "url": "http://10.0.0.5:3000/", "weight": 3 }], "policy": "round-robin", "retry": {} }',
  ]
  for (const written of same) assert.equal(contentKey(planned(written)), contentKey(plain), written)
})

test('planService() plans policies, weights, checks, retries and the fallback', () => {
  const plan = planned(`{
    "url": ["http://10.0.0.5:80", { "url": "http://10.0.0.6:80", "weight": 3 }],
    "policy": { "hash": "header:X-User" }, "slowStart": "30s",
    "health": { "path": "/healthz", "status": 204 }, "circuit": { "failures": 5 },
    "retry": { "times": 1, "status": [502, 503] }, "fallback": "https://spare.example.net" }`)
  const { origins, fallback, ...rest } = plan
  assert.deepEqual(rest, {
    kind: 'service',
    processId: null,
    policy: { hash: 'header', name: 'x-user' },
    weights: [1, 3],
    slowStartMs: 30_000,
    retry: { times: 1, status: [502, 503] },
  })
  assert.equal(fallback?.id, 'origin:https://spare.example.net')
  for (const { health, circuit } of origins) {
    assert.deepEqual(health, {
      path: '/healthz',
      intervalMs: 10_000,
      timeoutMs: 2000,
      status: [204],
      up: 2,
      down: 3,
    })
    assert.deepEqual(circuit, { failures: 5, pauseMs: 5000, status: [500, 502, 503, 504] })
  }
})

test('planService() plans Unix sockets and what https origins are shown', () => {
  const socket = planned('"unix:/run/app.sock"').origins[0]!
  assert.equal(socket.socketPath, '/run/app.sock')
  assert.equal(socket.id, 'origin:unix:/run/app.sock')
  const tls = { ca: './ca.pem', name: 'api.internal', certificate: './c.pem', key: './k.pem' }
  const secure = planned(`{ "url": "https://10.0.0.5", "tls": ${JSON.stringify(tls)} }`).origins[0]!
  assert.deepEqual(secure.tls, tls)
})

test('planService() plans origins that speak HTTP/2, with TLS and without', () => {
  const [clear, secure] = planned('["h2c://LOCALHOST:50051", "h2://api.example.net"]').origins
  const base = { speaksHttp2: true, verify: true } as const
  assert.deepEqual(clear, {
    ...base,
    id: 'origin:h2c://localhost:50051',
    scheme: 'http',
    host: 'localhost',
    port: 50_051,
    authority: 'localhost:50051',
  })
  assert.deepEqual(secure, {
    ...base,
    id: 'origin:h2://api.example.net',
    scheme: 'https',
    host: 'api.example.net',
    port: 443,
    authority: 'api.example.net',
  })
})

test('planService() has nothing to tell the address of a client with where clients share connections', () => {
  const hosts = '"a": { "service": { "url": "h2c://127.0.0.1:50051", "proxyProtocol": 2 } }'
  const { problems } = checkText(fileText({ hosts }))
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['http/proxy-protocol-tls'],
  )
  assert.match(problems[0]!.message, /clients share/)
})
