import { layerProblems } from './layers.ts'
import type { Source } from './source.ts'

/** A rule of docs/house-style.md that a machine can check: sources in, `file:line problem. Fix: …` out. */
export type Rule = { title: string; check: (sources: readonly Source[]) => string[] }

/** The most a file that is not a test may hold: past it, look for the second subject. */
export const fileLines = 400
/** The most a function may hold beside the functions declared in it: past it, it does not fit a screen. */
export const functionLines = 70

/** Every rule, in the order of docs/house-style.md. */
export const rules: Rule[] = [
  { title: 'files import downwards only', check: layerProblems },
  { title: 'imports form no circle', check: circles },
  { title: 'values touch no socket, file, clock, environment or randomness', check: impurities },
  { title: 'an import names the file', check: each(importForm) },
  { title: 'what is exported is declared there, by name', check: each(exportForm) },
  { title: 'what is exported has a docstring', check: each(docstrings) },
  { title: 'a file holds one subject and a function fits a screen', check: each(lengths) },
  { title: 'nothing is left to do, and no path of a machine is written down', check: each(leftovers) },
  { title: 'a section that src/ cites stands in the name of a test', check: citations },
]

function each(check: (source: Source) => Iterable<string>): Rule['check'] {
  return (sources) => sources.filter(({ isTest }) => !isTest).flatMap((source) => [...check(source)])
}

function circles(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const done = new Set<string>()
  const problems: string[] = []
  const visit = (path: string, trail: string[]): void => {
    const source = byPath.get(path)
    if (trail.includes(path)) {
      const circle = [...trail.slice(trail.indexOf(path)), path].join(' → ')
      problems.push(`${path}:1 imports itself: ${circle}. Fix: move what they share to a file below both`)
    } else if (source !== undefined && !done.has(path)) {
      for (const { to } of source.imports) visit(to, [...trail, path])
      done.add(path)
    }
  }
  for (const { path } of sources) visit(path, [])
  return problems
}

const valueFiles =
  /^src\/(plan\/.*|.*\/wire\/.*|(?!cli\/).+\/(config|plan|answer|select|route|reuse|steer|accept|admit))\.ts$/
const impureModules =
  /^node:(net|fs|fs\/promises|dgram|tls|http|https|http2|worker_threads|child_process|os)$/
const pureNames = ['isIP', 'isIPv4', 'isIPv6', 'BlockList']
const impureCode =
  /\b(Date\.now\(|new Date\(\)|Math\.random\(|process\.(env|hrtime|cwd)\b|performance\.now\(|random(Bytes|Int|UUID)\()/g

/** Also in the files that a value imports; `import type` brings no code along. */
function impurities(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const values = sources.filter(({ path, isTest }) => valueFiles.test(path) && !isTest)
  const reasons = new Map(values.map(({ path }) => [path, '']))
  for (const path of reasons.keys()) {
    // A Map's walk also sees what is added on the way: in the end everything that values reach.
    for (const { to, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (!typeOnly && byPath.has(to) && !reasons.has(to)) reasons.set(to, ` (the value ${path} imports it)`)
    }
  }
  return sources.flatMap((source) => [...impurity(source, reasons.get(source.path))])
}

function* impurity(source: Source, reason: string | undefined): Generator<string> {
  if (reason === undefined) return
  for (const match of source.code.matchAll(impureCode)) {
    const used = match[0].replace('(', '')
    yield `${source.path}:${lineAt(source, match.index)} uses ${used}${reason}. Fix: take what it gives as an argument`
  }
  for (const { to, names, typeOnly, line } of source.imports) {
    if (typeOnly || !impureModules.test(to) || names.every((name) => pureNames.includes(name))) continue
    yield `${source.path}:${line} imports ${to}${reason}. Fix: let a machine do it and hand the result in`
  }
}

function* importForm({ path, imports }: Source): Generator<string> {
  const area = (file: string) => file.split('/')[1]
  for (const { written, to, line } of imports) {
    if (!/^[.#]/.test(written)) continue
    const where = `${path}:${line} imports '${written}'`
    if (!written.endsWith('.ts')) yield `${where}. Fix: end it with .ts`
    else if (/(^|\/)index\.ts$/.test(to))
      yield `${where}. Fix: name the file that declares it; there is no index.ts`
    else if (written.startsWith('.') && area(to) !== area(path)) yield `${where}. Fix: '#${to.slice(4)}'`
    else if (!/^(\.\/|(\.\.\/)+|#)[\w-]/.test(written)) yield `${where}. Fix: ./x.ts, ../x.ts or #folder/x.ts`
  }
}

function* exportForm({ path, exports, code, ...source }: Source): Generator<string> {
  if (path.endsWith('/index.ts')) yield `${path}:1 is an index.ts. Fix: import the files themselves`
  for (const { kind, name, line } of exports) {
    if (kind === 'default') yield `${path}:${line} has a default export. Fix: export it by its name`
    if (kind === 'reexport' && path !== 'src/portico.ts') {
      yield `${path}:${line} exports ${name} away from its declaration. Fix: write \`export\` where it is declared, import it from there`
    }
  }
  for (const match of code.matchAll(/^\s*(?:export )?(?:const )?(enum|namespace) \w/gm)) {
    yield `${path}:${lineAt({ code, ...source }, match.index)} has an ${match[1]}. Fix: a union of literals, or plain exports`
  }
}

function* docstrings({ path, exports }: Source): Generator<string> {
  const seen = new Set<string>() // an overload is documented once
  for (const { name, kind, documented, line } of exports) {
    const needed = kind === 'function' || kind === 'class' || kind === 'const'
    if (needed && !documented && !seen.has(name)) {
      yield `${path}:${line} exports ${name} without a docstring. Fix: say above it in /** */ what it is for, its units, what comes back, when it throws`
    }
    seen.add(name)
  }
}

function* lengths({ path, lines, functions }: Source): Generator<string> {
  if (lines > fileLines)
    yield `${path}:1 has ${lines} lines, the end is ${fileLines}. Fix: give the second subject a file`
  for (const { name, line, lines: length } of functions) {
    if (length > functionLines) {
      yield `${path}:${line} function ${name} has ${length} lines, the end is ${functionLines}. Fix: the parent branches, the children compute`
    }
  }
}

function* leftovers(source: Source): Generator<string> {
  for (const match of source.text.matchAll(/\b(TODO|FIXME|XXX|HACK)\b/g)) {
    yield `${source.path}:${lineAt(source, match.index)} says ${match[0]}. Fix: do it, or say in one sentence why not`
  }
  for (const match of source.text.matchAll(/(?<![\w./:*-])\/(home|root|tmp|work)\/\w/g)) {
    yield `${source.path}:${lineAt(source, match.index)} names /${match[1]}/. Fix: a path from the config, the state or os.tmpdir()`
  }
}

function citations(sources: readonly Source[]): string[] {
  const tested = new Set(
    sources.filter(({ isTest }) => isTest).flatMap(({ code }) => [...cited(code).keys()]),
  )
  return sources
    .filter(({ isTest, path }) => !isTest && path.startsWith('src/'))
    .flatMap((source) => {
      const untested = [...cited(source.text)].filter(([section]) => !tested.has(section))
      return untested.map(([section, offset]) => {
        return `${source.path}:${lineAt(source, offset)} cites ${section}. Fix: a test with "(${section})" in its name`
      })
    })
}

/** The sections that a text cites, each as "RFC 9112 §6.1", and where first: "RFC 9111 §3, §4.2" cites two. */
function cited(text: string): Map<string, number> {
  const found = new Map<string, number>()
  for (const match of text.matchAll(/RFC (\d+)((?:(?:,? and|,|;)?\s§[\dA-Z]+(?:\.\d+)*)+)/g)) {
    for (const [section] of match[2]!.matchAll(/§[\dA-Z]+(?:\.\d+)*/g)) {
      const name = `RFC ${match[1]} ${section}`
      if (!found.has(name)) found.set(name, match.index)
    }
  }
  return found
}

function lineAt({ code }: Pick<Source, 'code'>, offset: number): number {
  return code.slice(0, offset).split('\n').length
}
