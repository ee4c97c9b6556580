import assert from 'node:assert/strict'
import test from 'node:test'
import { checkText, fileText } from '../../test/planted/planted.ts'

const LETS = '"issuer": "letsencrypt"'
const PRIVATE = '"issuer": { "acme": "https://ca.example/dir" }'
const WILD = ['example.com *.example.com']
const SINGLE = ['example.com', 'www.example.com', 'api.example.com']

const cases: readonly [what: string, issuer: string, records: string, names: readonly string[]][] = [
  ['no CAA', LETS, '', WILD],
  ['issuewild ";"', LETS, '"@": { "CAA": ["0 issue \\"letsencrypt.org\\"", "0 issuewild \\";\\""] }', SINGLE],
  ['issuewild ";", a private authority', PRIVATE, '"@": { "CAA": "0 issuewild \\";\\"" }', SINGLE],
  ['issuewild of ours', LETS, '"@": { "CAA": "0 issuewild \\"letsencrypt.org\\"" }', WILD],
  ['issuewild of another', LETS, '"@": { "CAA": "0 issuewild \\"pki.goog\\"" }', SINGLE],
  ['issue of ours alone', LETS, '"@": { "CAA": "0 issue \\"letsencrypt.org\\"" }', WILD],
  ['a proof kept elsewhere', LETS, '"_acme-challenge": { "CNAME": "x.acme-dns.example.net" }', SINGLE],
]

for (const [what, issuer, records, names] of cases) {
  test(`${what}: ${names.length === 1 ? 'a wildcard' : 'single names'} (RFC 8659 §4.3, RFC 8555 §8.4)`, () => {
    const hosts = '"@": { "respond": "x" }, "www": { "respond": "x" }, "api": { "respond": "x" }'
    const { plan, problems } = checkText(fileText({ hosts, records, top: `"certificates": { ${issuer} },` }))
    assert.deepEqual(
      plan?.tls.certificates.map((each) => each.names.join(' ')),
      names,
      JSON.stringify(problems),
    )
  })
}
