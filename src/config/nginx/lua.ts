/**
 * Find the end of Lua code that stands in an nginx block.
 *
 * Braces in strings, long strings and comments of Lua do not count (Lua manual §3.1).
 *
 * @param text the whole file
 * @param from offset behind the opening `{`
 * @returns offset behind the closing `}`, or undefined when there is none
 */
export function skipLua(text: string, from: number): number | undefined {
  // One alternative a kind of token; the sticky expression always takes at least one character.
  const token =
    /--\[(=*)\[|--[^\n]*|\[(=*)\[|"(?:\\[\s\S]|[^"\\\n])*"?|'(?:\\[\s\S]|[^'\\\n])*'?|[{}]|[\s\S]/g
  token.lastIndex = from
  let open = 1
  for (let match = token.exec(text); match !== null; match = token.exec(text)) {
    const level = match[1] ?? match[2]
    if (level !== undefined) {
      const end = text.indexOf(`]${level}]`, token.lastIndex)
      if (end === -1) return undefined
      token.lastIndex = end + level.length + 2
    } else if (match[0] === '{') open++
    else if (match[0] === '}' && --open === 0) return token.lastIndex
  }
  return undefined
}
