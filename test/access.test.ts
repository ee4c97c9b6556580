import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { hashPassword } from '#access/password.ts'
import type { Explanation } from '#run/explain/explain.ts'
import { run } from './peers.ts'
import { type Running, startRunning } from './running.ts'

const origin = createServer((incoming, response) => {
  response.end(JSON.stringify({ url: incoming.url, headers: incoming.headers }))
})
let running: Running

before(async () => {
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const service = (origin.address() as AddressInfo).port
  const basic = { users: { ann: await hashPassword('open sesame') }, realm: 'Staff' }
  const office = { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: '10.9.0.0/16' }
  running = await startRunning(
    {
      hosts: {
        office: { service, http: 'serve', access: office },
        staff: { service, http: 'serve', access: { basic } },
        both: { service, http: 'serve', access: { ...office, basic } },
        routes: {
          http: 'serve',
          access: office,
          routes: {
            '/**': { service },
            '/public/**': { service, access: 'none' },
            '/staff': { service, access: { basic } },
          },
        },
      },
    },
    { trust: ['127.0.0.1'] },
  )
})

after(async () => {
  origin.close()
  assert.equal(await running.stop(), 0)
})

type Answer = { status: number; headers: IncomingHttpHeaders; body: string }

/** Ask through a proxy at 127.0.0.1, which the file trusts, for a client at `from`. */
async function get(host: string, headers: Record<string, string>, path = '/'): Promise<Answer> {
  const asked = request({
    host: '127.0.0.1',
    port: running.ports.http,
    path,
    headers: { host: `${host}.example.com`, ...headers },
  })
  const [response] = await once(asked.end(), 'response')
  let body = ''
  for await (const part of response) body += part
  return { status: response.statusCode, headers: response.headers, body }
}

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address })
const signIn = (user: string, password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
})

test('who is in no allowed network gets 403 (RFC 9110 §15.5.4)', async () => {
  assert.equal((await get('office', from('10.1.2.3'))).status, 200)
  assert.equal((await get('office', from('2001:db8::9'))).status, 200)
  for (const address of ['10.9.1.1', '192.0.2.1', 'unknown', '10.1.1.1, 192.0.2.1']) {
    const { status, body } = await get('office', from(address))
    assert.equal(status, 403, address)
    assert.match(body, /Nobody at your address is let in here/)
  }
})

test('without a name and a password that fit there is 401 with a challenge (RFC 9110 §11.6.1, §15.5.2)', async () => {
  for (const headers of [
    {},
    signIn('ann', 'guess'),
    signIn('bob', 'open sesame'),
    { authorization: 'Basic x' },
  ]) {
    const { status, headers: fields } = await get('staff', headers)
    assert.equal(status, 401)
    assert.equal(fields['www-authenticate'], 'Basic realm="Staff", charset="UTF-8"')
  }
  const { status, body } = await get('staff', signIn('ann', 'open sesame'), '/x?y')
  assert.equal(status, 200)
  assert.equal(JSON.parse(body).url, '/x?y')
})

test('network and password must hold both', async () => {
  const signed = signIn('ann', 'open sesame')
  assert.equal((await get('both', { ...signed, ...from('192.0.2.1') })).status, 403)
  assert.equal((await get('both', from('10.1.1.1'))).status, 401)
  assert.equal((await get('both', { ...signed, ...from('10.1.1.1') })).status, 200)
})

test("a route's own access takes the place of its host's", async () => {
  assert.equal((await get('routes', from('192.0.2.1'))).status, 403)
  assert.equal((await get('routes', from('192.0.2.1'), '/public/a')).status, 200)
  assert.equal((await get('routes', from('192.0.2.1'), '/staff')).status, 401)
  assert.equal(
    (await get('routes', { ...from('192.0.2.1'), ...signIn('ann', 'open sesame') }, '/staff')).status,
    200,
  )
})

test('a client that leaves while its password is computed harms nobody', async () => {
  const asked = request({
    host: '127.0.0.1',
    port: running.ports.http,
    headers: { host: 'staff.example.com', ...signIn('ann', 'a guess') },
  })
  asked.on('error', () => {})
  asked.end()
  const closed = new Promise((resolve) => asked.once('close', resolve))
  setTimeout(() => asked.destroy(), 20)
  await closed
  assert.equal((await get('staff', signIn('ann', 'open sesame'))).status, 200)
})

test('explain says who is admitted and why, by the same decision', async () => {
  const explain = async (host: string, address?: string): Promise<string[]> => {
    const words = address === undefined ? [] : ['--from', address]
    const { stdout } = await running.command(
      'explain',
      `http://${host}.example.com:${running.ports.http}/`,
      '--json',
      ...words,
    )
    const { steps } = JSON.parse(stdout) as Explanation
    return steps
      .filter(({ step }) => step === 'access')
      .map(({ says, reason, isFault }) => `${isFault}: ${says}: ${reason}`)
  }
  assert.deepEqual(await explain('office', '10.1.1.1'), [
    'false: 10.1.1.1 is admitted: in 10.0.0.0/8 of "allow"',
  ])
  assert.deepEqual(await explain('both', '192.0.2.1'), [
    'true: 192.0.2.1 is refused with 403: in no network of "allow"',
    'false: a name and a password for "Staff"; 401 without (RFC 7617): basic: 1 user',
  ])
  assert.deepEqual(await explain('office'), ['false: 3 networks decide: ask with --from IP'])
})

test('portico hash-password hashes a line of stdin', async () => {
  const hash = async (input: string) => run(process.execPath, ['src/main.ts', 'hash-password'], { input })
  const { stdout, code } = await hash('open sesame\n')
  assert.equal(code, 0)
  assert.match(stdout, /^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}\n$/)
  for (const [input, said] of [
    ['', /empty/],
    ['a\tb', /control characters/],
    ['x'.repeat(2000), /1024/],
  ] as const) {
    const refused = await hash(input)
    assert.equal(refused.code, 2)
    assert.match(refused.stderr, said)
  }
})
