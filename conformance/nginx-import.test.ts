// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is nginx's way to write a variable
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseNginx } from '#config/nginx/parse.ts'
import { nginxSamples } from '../test/nginx-samples.ts'
import { peer, run } from '../test/peers.ts'

const nginx = peer('nginx')
const openssl = peer('openssl')
const skip = (nginx === undefined && 'needs nginx') || (openssl === undefined && 'needs openssl')

let folder = ''

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'portico-nginx-'))
  writeFileSync(join(folder, 'fastcgi_params'), '')
  writeFileSync(join(folder, 'mime.types'), 'types { text/html html; }')
  if (openssl === undefined) return
  const made = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=example.com -days 2'
  await run(openssl, ['req', '-x509', ...made.split(' '), '-keyout', 'key.pem', '-out', 'certificate.pem'], {
    cwd: folder,
  })
})

after(() => rmSync(folder, { recursive: true }))

/** What nginx says of a configuration, or undefined when it takes it. Nothing is started. */
async function complaint(text: string): Promise<string | undefined> {
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, text)
  const { code, stderr } = await run(nginx!, [
    '-t',
    '-q',
    '-p',
    folder,
    '-e',
    join(folder, 'error.log'),
    '-c',
    file,
  ])
  return code === 0 ? undefined : stderr
}

/** Ports above 1024 and a certificate, so that nginx can test it as anyone. */
function wholeFile(text: string): string {
  const ports = text
    .replaceAll(
      /listen ((?:\[::\]:|[\d.]+:)?)(80|443)\b/g,
      (_, host: string, port: string) => `listen ${host}${port === '80' ? 18_080 : 18_443}`,
    )
    .replaceAll('203.0.113.7', '127.0.0.2')
  return `pid ${folder}/nginx.pid;
events { }
http {
access_log off;
proxy_cache_path ${folder}/cache keys_zone=c:1m;
ssl_certificate ${folder}/certificate.pem;
ssl_certificate_key ${folder}/key.pem;
${ports}
}`
}

for (const { name, text } of nginxSamples) {
  test(`nginx accepts the sample that the import is tested with: ${name}`, { skip }, async () => {
    assert.equal(await complaint(wholeFile(text)), undefined)
  })
}

test('nginx accepts the example of subdomains', { skip }, async () => {
  const text = readFileSync(new URL('../examples/subdomains/nginx.conf', import.meta.url), 'utf8')
    .replaceAll(/^pid .*$/gm, `pid ${folder}/nginx.pid;`)
    .replaceAll(/access_log .*;/g, 'access_log off;')
    .replaceAll(/\/etc\/nginx\//g, `${folder}/`)
    .replaceAll(/\/etc\/letsencrypt\/live\/example.com\/fullchain.pem/g, `${folder}/certificate.pem`)
    .replaceAll(/\/etc\/letsencrypt\/live\/example.com\/privkey.pem/g, `${folder}/key.pem`)
    .replaceAll(
      /listen (\[::\]:)?(80|443)\b/g,
      (_, host = '', port) => `listen ${host}${port === '80' ? 18_080 : 18_443}`,
    )
  assert.equal(await complaint(text), undefined)
})

// Grammar alone, in a place where nginx takes any name and any number of words is wrong: `set $x WORD;`.
const words = [
  'a',
  'a#b',
  '"a b"',
  "'a;b'",
  'a\\ b',
  '"a\\"b"',
  "'it\\'s'",
  'a"b',
  "a'b",
  'a}',
  '${host}',
  'a${host}b',
  '"{"',
  '"a"b',
  '"a',
  'a{b',
  '{',
  '\\',
  '"\\',
  '"a" # c\n',
  '',
]

for (const word of words) {
  test(`parseNginx() takes or refuses a word as nginx does: ${JSON.stringify(word)}`, { skip }, async () => {
    const text = wholeFile(`server { listen 127.0.0.1:18080; set $x ${word}; }`)
    const { directives, problems } = parseNginx(text, 'nginx.conf')
    const server = directives
      .find(({ name }) => name === 'http')
      ?.block?.find(({ name }) => name === 'server')
    const set = server?.block?.find(({ name }) => name === 'set')
    const taken = problems.length === 0 && set?.args.length === 2 && set.block === null
    assert.equal(taken, (await complaint(text)) === undefined)
  })
}
