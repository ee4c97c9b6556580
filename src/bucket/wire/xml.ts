/** An element: text, or elements by name; a list stands for several of one name, and undefined for none. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [name: string]: Xml }

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/'

/** Write a document of S3. @example formatXml('Error', { Code: 'NoSuchKey' }) */
export function formatXml(root: string, content: Xml): string {
  const text = element(root, content).replace(`<${root}`, `<${root} xmlns="${NAMESPACE}"`)
  return `<?xml version="1.0" encoding="UTF-8"?>\n${text}`
}

function element(name: string, content: Xml): string {
  if (content === undefined) return ''
  if (Array.isArray(content)) return content.map((one: Xml) => element(name, one)).join('')
  if (typeof content !== 'object') return `<${name}>${escapeXml(String(content))}</${name}>`
  const inner = Object.entries(content).map(([child, value]) => element(child, value))
  return `<${name}>${inner.join('')}</${name}>`
}

/**
 * The contents of all elements of a name, raw. Enough for the two documents that S3 clients send, which do not nest
 * an element in one of its name.
 */
export function elementsOf(text: string, name: string): string[] {
  const found: string[] = []
  const [open, close] = [`<${name}>`, `</${name}>`]
  for (let at = text.indexOf(open); at >= 0; at = text.indexOf(open, at)) {
    const end = text.indexOf(close, at)
    if (end < 0) break
    found.push(text.slice(at + open.length, end))
    at = end
  }
  return found
}

/** The text of the first element of a name. */
export function textOfElement(text: string, name: string): string | undefined {
  return elementsOf(text, name)[0]?.replace(
    /&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g,
    (_, decimal, hex, entity) => {
      if (entity !== undefined) return ENTITIES[entity] ?? ''
      const code = Number.parseInt(decimal ?? hex, decimal === undefined ? 16 : 10)
      return code <= 0x10ffff ? String.fromCodePoint(code) : ''
    },
  )
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function escapeXml(text: string): string {
  return text.replace(/[&<>"\r\n]/g, (c) => `&#${c.charCodeAt(0)};`)
}
