import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { commands } from '#cli/commands.ts'
import { printProblem } from '#core/problem.ts'
import { run } from './peers.ts'
import { checkText, plantedFaults } from './planted/planted.ts'
import { readSource } from './tidy/source.ts'

test('the documents that are made from the code are as the code makes them', async () => {
  const { code, stderr } = await run(process.execPath, ['scripts/docs.ts', '--check'])
  assert.equal(code, 0, stderr)
})

/** What the rules of `portico check` are written in; imports of other programs' files have codes of their own. */
const ruleFiles = globSync('src/{access,bucket,cache,config,dns,http,media,plan,tls}/**/*.ts').filter(
  (file) => {
    return !file.endsWith('.test.ts') && !/^src\/(config\/(nginx|zone)\/|dns\/wire\/masterfile)/.test(file)
  },
)

/** Codes in a text; those that go to the log are no problems of the file. */
function codesIn(text: string): string[] {
  const problems = text.replace(/\blog\??\.?\([^)]*\)/g, '')
  return [
    ...problems.matchAll(
      /['`]((?:access|bucket|cache|config|dns|http|live|plan|stream|tls)\/[a-z$][^'`\s]*)['`]/g,
    ),
  ].map(([, code]) => code!)
}

test('every code that the rules can give has exactly one example', () => {
  const given = ruleFiles.flatMap((file) => codesIn(readSource(file, readFileSync(file, 'utf8')).code))
  const codes = given.flatMap((code) => {
    // checkTargets() makes three codes in one place.
    if (!code.startsWith('dns/${')) return [code]
    return ['mx', 'ns', 'srv'].map((type) => code.replace(/\$\{[^}]*\}/, type))
  })
  const examples = plantedFaults.map(({ code }) => code)
  assert.ok(codes.length > 50, `${codes.length} codes were seen: the pattern misses some`)
  assert.deepEqual([...new Set(codes)].sort(), examples.toSorted())
})

test('README.md shows what check prints, a file without faults, and every command', async () => {
  const readme = readFileSync('README.md', 'utf8')
  const example = plantedFaults.find(({ code }) => code === 'dns/cname-to-address')!
  assert.ok(readme.includes(`$ portico check\n${printProblem(checkText(example.text).problems[0]!)}\n`))
  const [, file = ''] = /```jsonc\n([\s\S]*?)```/.exec(readme) ?? []
  const { plan, problems } = checkText(file)
  assert.deepEqual(problems, [])
  assert.equal(plan?.http.hosts.length, 7)
  const told = [...readme.matchAll(/`(?:portico )?([a-z-]+)[^`]*`/g)].map(([, word]) => word)
  const unknown = commands.map(({ name }) => name).filter((name) => !told.includes(name.split(' ')[0]))
  assert.deepEqual(unknown, [])
})

test('decisions/README.md lists every record by its title', () => {
  const index = readFileSync('decisions/README.md', 'utf8')
  const missing = globSync('decisions/*.md')
    .filter((file) => file !== 'decisions/README.md')
    .map((file) => `- [${readFileSync(file, 'utf8').split('\n')[0]!.replace(/^# /, '')}](${basename(file)})`)
    .filter((line) => !index.includes(`${line}\n`))
  assert.deepEqual(missing, [])
})

test('links between documents lead to files that exist', () => {
  const documents = globSync('{*.md,docs/*.md,decisions/*.md}')
  assert.ok(documents.length >= 8)
  const dead = documents.flatMap((document) => {
    const links = readFileSync(document, 'utf8').matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)
    return [...links]
      .map(([, link]) => `${document}: ${link}`)
      .filter((found) => {
        return !existsSync(join(dirname(document), found.slice(document.length + 2)))
      })
  })
  assert.deepEqual(dead, [])
})
