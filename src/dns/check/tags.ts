/** A list of `name=value`, as DKIM, DMARC and MTA-STS have them; `faults` are parts that are none. */
export type Tags = {
  /** the first value of each name; names as written, whitespace around both gone */
  readonly values: ReadonlyMap<string, string>
  readonly names: readonly string[]
  readonly faults: readonly string[]
}

/**
 * Read a tag list (RFC 6376 §3.2).
 *
 * @example readTags('v=DMARC1; p=none').values.get('p') // 'none'
 */
export function readTags(text: string): Tags {
  const values = new Map<string, string>()
  const names: string[] = []
  const faults: string[] = []
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === '') continue
    const [, name, value] = /^([A-Za-z]\w*)\s*=\s*([\s\S]*)$/.exec(part) ?? []
    if (name === undefined || value === undefined) faults.push(`"${part}" is no name with "=" and a value`)
    else if (values.has(name)) faults.push(`"${name}" stands twice`)
    else values.set(name, value)
    if (name !== undefined) names.push(name)
  }
  return { values, names, faults }
}
