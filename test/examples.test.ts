import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Command, parseCommand } from '#cli/command.ts'
import { commands } from '#cli/commands.ts'
import { printProblem } from '#core/problem.ts'
import { checkText } from './planted/planted.ts'

const documents = globSync('{README.md,ARCHITECTURE.md,CONTRIBUTING.md,docs/*.md}').filter(
  (name) => !/checks|reference/.test(name),
)

/** Where what is shown may stand in a file; `…` is the example. */
const PLACES: readonly ((example: string) => string)[] = [
  (example) => `{ "domains": {}, ${example} }`,
  (example) => example,
  (example) => `{ ${example} }`,
  (example) => inDomain(example),
  (example) => inDomain(`"hosts": { ${example} }`),
  (example) => inDomain(`"hosts": { "a": { "service": 8081, ${example} } }`),
  (example) => inDomain(`"hosts": { "a": { ${example} } }`),
  (example) => inDomain(`"hosts": { "a": { "bucket": { "root": "./media", ${example} } } }`),
  (example) => inDomain(`"hosts": { "a": { "files": "./films", "stream": { ${example} } } }`),
  (example) => inDomain(`"hosts": { "a": { "service": 8081, "limits": { ${example} } } }`),
  (example) => `{ "domains": {}, "certificates": { ${example} } }`,
  (example) => inDomain(`"dnssec": { ${example} }`),
]

function inDomain(example: string): string {
  return `{ "address": ["203.0.113.10"], "domains": { "example.com": { ${example} } } }`
}

/** Errors in the place where there are fewest; `[]` when it is right somewhere. */
function errorsIn(example: string): string[] {
  const found = PLACES.map((place) =>
    checkText(place(example))
      .problems.filter(({ level }) => level === 'error')
      .map((problem) => printProblem(problem)),
  )
  return found.toSorted((a, b) => a.length - b.length)[0]!
}

function examplesIn(text: string): string[] {
  const fenced = [...text.matchAll(/```jsonc\n([\s\S]*?)```/g)].map(([, example]) => example!)
  const inline = [...text.replace(/```[\s\S]*?```/g, '').matchAll(/`("[\w@*-]+": [^`…]+)`/g)].map(
    ([, example]) => example!,
  )
  // A comma ends the last line, where the next one would follow.
  return [...fenced, ...inline].map((example) => example.trim().replace(/,?(\s*\/\/[^\n]*)?$/, '$1\n'))
}

test('check finds no error in what the documents show of a file', () => {
  const examples = documents.flatMap((name) => {
    return examplesIn(readFileSync(name, 'utf8')).map((example) => ({ name, example }))
  })
  assert.ok(examples.length >= 20, `${examples.length} examples were seen`)
  for (const { name, example } of examples) assert.deepEqual(errorsIn(example), [], `${name}: ${example}`)
})

/** Words of a line as a shell would split them, as far as the examples go. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => (double ?? single ?? plain)!,
  )
}

/** The command lines of a document: in blocks, in its own words, and behind npm. */
function commandsIn(text: string): string[] {
  const lines = text.matchAll(/(?:^|[`$ ])(?:npx |npm run -s )?portico (?:-- )?([a-z][^`\n#]*)/gm)
  return [...lines].map(([, line]) => line!.trim())
}

function refusal(line: string): string | null {
  const words = wordsOf(line)
  const command: Command | undefined = commands.find(
    ({ name }) => name === words[0] || name === `${words[0]} ${words[1]}`,
  )
  if (command === undefined) return 'no such command'
  const others = words.slice(command.name.split(' ').length)
  // The name alone speaks of the command.
  if (others.length === 0) return null
  try {
    parseCommand(command, others)
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

test('the command lines that the documents and the helps show are taken', () => {
  const shown = [...documents, 'docs/checks.md'].flatMap((name) =>
    commandsIn(readFileSync(name, 'utf8')).map((line) => `${name}: ${line}`),
  )
  const helped = commands.flatMap(({ name, examples }) =>
    examples.flatMap((example) =>
      [...example.matchAll(/portico ([^|>&)]*)/g)].map(([, line]) => `help of ${name}: ${line!.trim()}`),
    ),
  )
  assert.ok(shown.length > 10 && helped.length > 30, `${shown.length} and ${helped.length} lines were seen`)
  const refused = [...shown, ...helped]
    .map((line) => [line, refusal(line.slice(line.indexOf(': ') + 2))])
    .filter(([, why]) => why !== null)
  assert.deepEqual(refused, [])
})
