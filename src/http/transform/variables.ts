import type { Request } from '../exchange.ts'
import { pathOf } from '../wire/path.ts'

/** What the variables of a value stand for in one exchange. */
export type VariableScope = { readonly request: Request; readonly requestId: () => string }

/** Text with variables, compiled once. */
export type Template = {
  /** the text for one exchange */
  fill(scope: VariableScope): string
  /** the same for every exchange */
  readonly isFixed: boolean
}

const VARIABLES: Readonly<Record<string, (scope: VariableScope) => string>> = {
  'client.address': ({ request }) => request.client.address,
  'client.port': ({ request }) => String(request.client.port),
  'request.authority': ({ request }) => request.authority,
  'request.host': ({ request }) => request.host,
  'request.id': ({ requestId }) => requestId(),
  'request.method': ({ request }) => request.method,
  'request.path': ({ request }) => pathOf(request.target),
  'request.query': ({ request }) => request.target.slice(pathOf(request.target).length + 1),
  'request.scheme': ({ request }) => (request.client.secure ? 'https' : 'http'),
  'request.target': ({ request }) => request.target,
  'request.version': ({ request }) => request.version,
}

/** The names that may stand in braces. */
export const variableNames: readonly string[] = Object.keys(VARIABLES)

/** Braces around other text, as in JSON or in a policy, are text. */
const IN_BRACES = /\{([A-Za-z_][\w-]*(?:\.[\w-]+)+)\}/

/** The names in braces of a text, known or not: `unknownVariables` of a check, in order. */
export function variablesIn(text: string): string[] {
  return text.split(IN_BRACES).filter((_, index) => index % 2 === 1)
}

/**
 * Compile a text.
 *
 * @param text every name in braces is known: the check saw to it; another one stays as it is
 * @example compileTemplate('{request.host}:{client.port}').fill(scope) // 'example.com:40000'
 */
export function compileTemplate(text: string): Template {
  const parts = text.split(IN_BRACES).map((part, index) => {
    return index % 2 === 0 ? part : (VARIABLES[part] ?? `{${part}}`)
  })
  const isFixed = parts.every((part) => typeof part === 'string')
  return {
    isFixed,
    fill: (scope) =>
      isFixed ? text : parts.map((part) => (typeof part === 'string' ? part : part(scope))).join(''),
  }
}
