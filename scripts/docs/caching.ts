import { cacheCases } from '../../test/cache-cases.ts'

const HEAD = `# Caching, section by section

What the cache does, in the order of the sections that ask for it. Made by \`npm run docs\` from \`test/cache-cases.ts\`; each line is a test of \`test/cache-rules.test.ts\`, which runs it over a socket against a clock that it moves. Nothing here is expected to fail.

| section | the cache |
|---|---|
`

/** docs/caching.md: what the tests of the cache hold, by section. */
export function cachingPage(): string {
  const rows = cacheCases.map(({ section, title }) => `| ${section} | ${title.replaceAll('|', '\\|')} |`)
  return `${HEAD}${rows.join('\n')}\n\n${cacheCases.length} cases.\n`
}
