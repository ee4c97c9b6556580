import assert from 'node:assert/strict'
import test from 'node:test'
import { loadText } from '#config/load.ts'
import { plan } from '#plan/plan.ts'
import { type InitAnswers, printInitFile, readService } from './init-file.ts'

const services: [text: string, wanted: unknown][] = [
  ['api=8081', { host: 'api', service: 8081 }],
  [' api = 8081 ', { host: 'api', service: 8081 }],
  ['@=3000', { host: '@', service: 3000 }],
  ['*=3000', { host: '*', service: 3000 }],
  ['a.b=http://10.0.0.5:3000', { host: 'a.b', service: 'http://10.0.0.5:3000' }],
  ['app=node server.js --name=x', { host: 'app', service: { run: 'node server.js --name=x' } }],
  ['api=0', /1 to 65535/],
  ['api=65536', /1 to 65535/],
  ['8081', /is no service/],
  ['api=', /is no service/],
  ['=8081', /is no service/],
  ['a b=8081', /no host name/],
]

for (const [text, wanted] of services) {
  test(`readService() reads ${JSON.stringify(text)}`, () => {
    const service = readService(text)
    if (wanted instanceof RegExp) assert.match(String(service), wanted)
    else assert.deepEqual(service, wanted)
  })
}

const least: InitAnswers = { domain: 'example.com', contact: '', address: [], files: '', services: [] }
const answers: [what: string, answers: InitAnswers, hosts: readonly string[]][] = [
  ['nothing but a domain', least, ['@', 'www']],
  [
    'all',
    {
      domain: 'shop.example',
      contact: 'me@shop.example',
      address: ['203.0.113.7', '2001:db8::7'],
      files: './site',
      services: [{ host: 'api', service: 8081 }],
    },
    ['@', 'www', 'api'],
  ],
  [
    'services in place of what stands there by itself',
    {
      ...least,
      services: [
        { host: '@', service: 1 },
        { host: 'www', service: { run: 'x "y"' } },
      ],
    },
    ['@', 'www'],
  ],
]

for (const [what, given, hosts] of answers) {
  test(`the file that init writes has no error: ${what}`, () => {
    const { config, problems } = loadText('portico.jsonc', printInitFile(given))
    assert.deepEqual(problems, [])
    const planned = plan(config!, { dev: false, addresses: ['203.0.113.7'] })
    assert.deepEqual(planned.problems, [])
    assert.deepEqual(Object.keys(config!.value.domains[given.domain]!.hosts), hosts)
  })
}
