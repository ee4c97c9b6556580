import assert from 'node:assert/strict'
import test from 'node:test'
import { commandGroups, commands } from './commands.ts'
import { commandHelp, familyHelp, programHelp } from './help.ts'

const pages: [name: string, lines: string[]][] = [
  ['portico --help', programHelp(commandGroups)],
  [
    'portico import --help',
    familyHelp(
      'import',
      commands.filter(({ name }) => name.startsWith('import ')),
    ),
  ],
  ...commands.map((command): [string, string[]] => [
    `portico ${command.name} --help`,
    commandHelp({ ...command, examples: [] }),
  ]),
]

for (const [name, lines] of pages) {
  test(`${name} fits 80 columns`, () => {
    assert.deepEqual(
      lines.filter((line) => line.length > 80),
      [],
    )
  })
}

test('portico --help names every command once', () => {
  const text = programHelp(commandGroups).join('\n')
  for (const { name } of commands) assert.equal(text.split(`\n  ${name} `).length, 2, name)
})

test('the usage of a command names each of its options', () => {
  for (const { name, usage, options } of commands) {
    for (const option of Object.keys(options)) assert.ok(usage.includes(`--${option}`), `${name} --${option}`)
  }
})
