// `npm run build`: dist/ for the published package. Node strips types only outside node_modules, so the package
// carries JavaScript, and imports of other files by their path there.

import { chmodSync, copyFileSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { carriedLibraries } from '#media/player/libraries.ts'
import { run } from '../test/peers.ts'

const shebang = '#!/usr/bin/env node\n'

rmSync('dist', { recursive: true, force: true })
await command('tsc', ['-p', 'tsconfig.build.json'])
const emitted = globSync('dist/**/*.{js,d.ts}')
for (const file of emitted) writeFileSync(file, withPaths(readFileSync(file, 'utf8'), file))
// What browsers are given goes as it is, and the players of others with their terms.
for (const file of globSync('src/**/*.{js,css}')) copyFileSync(file, file.replace(/^src/, 'dist'))
for (const [name, path] of Object.entries(carriedLibraries)) {
  copyFileSync(`node_modules/${path.script}`, `dist/media/player/${name}.js`)
  copyFileSync(`node_modules/${path.licence}`, `dist/media/player/${name}.licence`)
}
makeExecutable('dist/bin.js')
if (existsSync('scripts/docs.ts')) await command(process.execPath, ['scripts/docs.ts', '--schema'])
process.stderr.write(`Built ${emitted.length} files in dist/\n`)

/**
 * Rewrite what names a file of src/ by its source: `#dns/answer.ts` and `./answer.ts` become paths to `.js`, in imports,
 * in `new URL('./worker.ts', import.meta.url)`, and in declarations.
 *
 * @throws {Error} when a name leads to no emitted file: the package would fail where it is installed
 */
function withPaths(source: string, file: string): string {
  return source.replace(
    /((?:\bfrom|\bimport|\bimport\(|\bnew URL\()\s*)(['"])((?:#|\.{1,2}\/)[^'"]+)\.ts\2/g,
    (_, before: string, quote: string, name: string) => {
      const target = name.startsWith('#') ? join('dist', name.slice(1)) : join(dirname(file), name)
      if (!existsSync(`${target}.js`))
        throw new Error(`${file} names ${name}.ts, and there is no ${target}.js`)
      const path = relative(dirname(file), `${target}.js`)
      return `${before}${quote}${path.startsWith('.') ? path : `./${path}`}${quote}`
    },
  )
}

function makeExecutable(file: string): void {
  const source = readFileSync(file, 'utf8')
  writeFileSync(file, source.startsWith('#!') ? source : shebang + source)
  chmodSync(file, 0o755)
}

async function command(name: string, args: string[]): Promise<void> {
  const { code, stdout, stderr } = await run(name, args, { timeoutMs: 120_000 })
  if (code === 0) return
  process.stderr.write(stdout + stderr)
  process.exit(1)
}
