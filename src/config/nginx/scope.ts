import type { Directive } from './parse.ts'

/** The blocks around a place, innermost first: a location, its server, http. */
export type Scope = readonly (readonly Directive[])[]

/** The directive in force: from the innermost block that has it. */
export function inForce(scope: Scope, name: string): Directive | undefined {
  return allInForce(scope, [name])[0]
}

/** nginx inherits lists as a whole: a block that has one of these directives gets none of the outer ones. */
export function allInForce(scope: Scope, names: readonly string[]): readonly Directive[] {
  for (const block of scope) {
    const found = block.filter((directive) => names.includes(directive.name))
    if (found.length > 0) return found
  }
  return []
}

/** Values of nginx variables, without `$`. */
export type Variables = Readonly<Record<string, string>>

/** What `set $name text` gives, for texts that need no request. */
export function setVariables(scope: Scope, variables: Variables): Variables {
  const result: Record<string, string> = { ...variables }
  for (const { name, args } of scope.toReversed().flat()) {
    const [variable = '', text = ''] = args
    const value = name === 'set' ? fill(text, result) : undefined
    if (value !== undefined) result[variable.slice(1)] = value
  }
  return result
}

/** Replace `$name` and `${name}`; undefined when one of them is not known. */
export function fill(text: string, variables: Variables): string | undefined {
  let known = true
  const filled = text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced?: string, bare?: string) => {
    const name = braced ?? bare ?? ''
    if (Object.hasOwn(variables, name)) return variables[name] ?? ''
    known = false
    return whole
  })
  return known ? filled : undefined
}
