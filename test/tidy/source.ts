import { posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'

/** What the rules need to know of one TypeScript file. `line` counts from 1. */
export type Source = {
  /** From the root of the repository: `src/dns/answer.ts`. */
  path: string
  text: string
  /** The text with every comment blanked: same length, same lines. */
  code: string
  lines: number
  imports: Import[]
  exports: Export[]
  functions: { name: string; line: number; lines: number }[]
  isTest: boolean
}

/** `to` is a path like `Source.path` for our own files, and `written` itself for packages. */
export type Import = { written: string; to: string; names: string[]; typeOnly: boolean; line: number }

/** `kind` is `reexport` for what another file declares. */
export type Export = {
  name: string
  kind: 'function' | 'class' | 'const' | 'type' | 'reexport' | 'default'
  documented: boolean
  line: number
}

type Span = { start: number; end: number }

/**
 * Read a file as the rules see it.
 *
 * @param path from the root of the repository, with `/`
 * @throws {Error} when the text is not TypeScript
 */
export function readSource(path: string, text: string): Source {
  const { program, module, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`)
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length
  const code = comments.reduce((left, comment) => blank(left, comment), text)
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'))
  const isDocumented = (start: number) =>
    docs.some(({ end }) => end <= start && text.slice(end, start).trim() === '')

  return {
    path,
    text,
    code,
    lines: lineOf(text.length),
    imports: [...importsOf(module, text)].map(({ start, ...found }) => {
      return { ...found, to: resolveImport(path, found.written), line: lineOf(start) }
    }),
    exports: program.body.flatMap((node) =>
      exportsOf(node as Node).map((found) => {
        return { ...found, documented: isDocumented(node.start), line: lineOf(node.start) }
      }),
    ),
    functions: ownLines(functionsOf(program), (start, end) => lineOf(end) - lineOf(start) + 1).map(
      ({ name, start, lines }) => ({ name, line: lineOf(start), lines }),
    ),
    // A table of cases gives tests their names.
    isTest: path.endsWith('.test.ts') || /^test\/(?:planted\/\w+|cache-cases)\.ts$/.test(path),
  }
}

function blank(text: string, { start, end }: Span): string {
  return text.slice(0, start) + text.slice(start, end).replace(/[^\n]/g, ' ') + text.slice(end)
}

type Module = ReturnType<typeof parseSync>['module']

function* importsOf(
  module: Module,
  text: string,
): Generator<Omit<Import, 'to' | 'line'> & { start: number }> {
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const typeOnly = entries.length > 0 && entries.every(({ isType }) => isType)
    const names = entries.map(({ importName }) => importName.name ?? '*')
    yield { written: moduleRequest.value, names, typeOnly, start }
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const written = text.slice(moduleRequest.start, moduleRequest.end)
    if (/^['"]/.test(written)) yield { written: written.slice(1, -1), names: ['*'], typeOnly: false, start }
  }
}

function resolveImport(from: string, written: string): string {
  if (written.startsWith('#')) return `src/${written.slice(1)}`
  return written.startsWith('.') ? posix.join(posix.dirname(from), written) : written
}

type Named = { name?: string } | null | undefined
type Node = {
  type: string
  source?: unknown
  specifiers?: { exported: Named }[]
  declaration?: { type: string; id?: Named; declarations?: { id: Named }[] } | null
}

function exportsOf(node: Node): Pick<Export, 'name' | 'kind'>[] {
  if (node.type === 'ExportAllDeclaration') return [{ name: '*', kind: 'reexport' }]
  if (node.type === 'ExportDefaultDeclaration') return [{ name: 'default', kind: 'default' }]
  if (node.type !== 'ExportNamedDeclaration') return []
  const { declaration, specifiers = [] } = node
  if (!declaration) return specifiers.map(({ exported }) => ({ name: nameOf(exported), kind: 'reexport' }))
  if (declaration.declarations) {
    return declaration.declarations.map(({ id }) => ({ name: nameOf(id), kind: 'const' }))
  }
  const kinds: Record<string, Export['kind']> = { FunctionDeclaration: 'function', ClassDeclaration: 'class' }
  return [{ name: nameOf(declaration.id), kind: kinds[declaration.type] ?? 'type' }]
}

function nameOf(id: Named): string {
  return id?.name ?? '?'
}

type FunctionSpan = Span & { readonly name: string; readonly isDeclared: boolean }

/** Lines of each function without those of functions declared inside it: a factory is read one function at a time. */
function ownLines(
  found: readonly FunctionSpan[],
  linesOf: (start: number, end: number) => number,
): (FunctionSpan & { lines: number })[] {
  const parentOf = (inner: FunctionSpan) =>
    found
      .filter((outer) => outer !== inner && outer.start <= inner.start && inner.end <= outer.end)
      .sort((a, b) => b.start - a.start)[0]
  const declared = found.filter(({ isDeclared }) => isDeclared)
  return found.map((span) => {
    const inside = declared.filter((inner) => parentOf(inner) === span)
    const lines = inside.reduce(
      (sum, { start, end }) => sum - linesOf(start, end),
      linesOf(span.start, span.end),
    )
    return { ...span, lines }
  })
}

function functionsOf(program: Parameters<Visitor['visit']>[0]): FunctionSpan[] {
  const found: FunctionSpan[] = []
  const take =
    (isDeclared: boolean) =>
    (node: Span & { id?: Named }): void => {
      found.push({ name: nameOf(node.id), start: node.start, end: node.end, isDeclared })
    }
  const visitor = new Visitor({
    FunctionDeclaration: take(true),
    FunctionExpression: take(false),
    ArrowFunctionExpression: take(false),
  })
  visitor.visit(program)
  return found
}
