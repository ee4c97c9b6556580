/**
 * Split a command line into words as a POSIX shell does, with quotes and backslashes, expanding nothing.
 *
 * @returns the words, or a sentence that says what cannot be read
 * @example splitWords(`node 'my server.js' --port "8\\"1"`) // ['node', 'my server.js', '--port', '8"1']
 */
export function splitWords(line: string): string[] | string {
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length; at++) {
    const character = line[at]!
    if (character === "'" || character === '"') {
      const end = closingQuote(line, at)
      if (end === -1) return `The quote at column ${at + 1} of the command is not closed.`
      const quoted = line.slice(at + 1, end)
      word = (word ?? '') + (character === '"' ? quoted.replace(/\\([\\"$`])/g, '$1') : quoted)
      at = end
    } else if (character === '\\' && at + 1 < line.length) {
      word = (word ?? '') + line[++at]!
    } else if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if ('|&;<>()$`'.includes(character)) {
      return `"${character}" means something to a shell, and no shell reads this command; put it in quotes, or run "sh -c '…'".`
    } else {
      word = (word ?? '') + character
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

function closingQuote(line: string, open: number): number {
  const quote = line[open]!
  for (let at = open + 1; at < line.length; at++) {
    if (quote === '"' && line[at] === '\\') at++
    else if (line[at] === quote) return at
  }
  return -1
}
