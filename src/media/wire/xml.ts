/** An element by its local name, with what stands in it; text is as it is meant. */
export type XmlNode =
  | string
  | { readonly name: string; readonly attributes: Attributes; readonly children: readonly XmlNode[] }

/** By local names: documents of one kind have no two that differ by their namespace alone. */
export type Attributes = { readonly [name: string]: string | undefined }

const LIMIT_DEPTH = 64
const LIMIT_NODES = 200_000

/** A comment, CDATA, an instruction or declaration, a tag, or text up to the next. */
const TOKEN =
  /<!--.*?-->|<!\[CDATA\[(.*?)\]\]>|<\?.*?\?>|<![A-Z][^>[]*>|<(\/?)([\w.:-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|[^<]+/sy
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g

type Open = { readonly name: string; readonly attributes: Attributes; readonly children: XmlNode[] }

/**
 * Read a small document of XML 1.0: elements, attributes, text; no entities but the five, and no document type of its own.
 *
 * @returns the outermost element; undefined when the document is malformed, too deep or too large
 */
export function readXml(document: string): Exclude<XmlNode, string> | undefined {
  const top: Open = { name: '', attributes: {}, children: [] }
  const open: Open[] = [top]
  TOKEN.lastIndex = 0
  let at = document.startsWith('\ufeff') ? 1 : 0
  for (let nodes = 0; at < document.length; nodes++) {
    TOKEN.lastIndex = at
    const token = TOKEN.exec(document)
    if (token === null || nodes === LIMIT_NODES || open.length > LIMIT_DEPTH) return undefined
    at = TOKEN.lastIndex
    const [whole, data, closes, name, attributes, isEmpty] = token
    const inside = open.at(-1)!
    if (data !== undefined) inside.children.push(data)
    else if (name === undefined) {
      if (!whole.startsWith('<')) inside.children.push(meant(whole))
    } else if (closes === '/') {
      if (open.length === 1 || inside.name !== local(name)) return undefined
      open.pop()
    } else {
      const element: Open = { name: local(name), attributes: attributesOf(attributes!), children: [] }
      inside.children.push(element)
      if (isEmpty !== '/') open.push(element)
    }
  }
  const elements = top.children.filter((node) => typeof node !== 'string')
  return open.length === 1 && elements.length === 1 ? elements[0] : undefined
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

function attributesOf(written: string): Attributes {
  const pairs = [...written.matchAll(ATTRIBUTE)].filter(([, name]) => !name!.startsWith('xmlns'))
  return Object.fromEntries(pairs.map(([, name, a, b]) => [local(name!), meant(a ?? b ?? '')]))
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function meant(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(\w{2,4}));/gi, (as, ten, sixteen, name) => {
    if (name !== undefined) return ENTITIES[name] ?? as
    const code = Number(ten ?? `0x${sixteen}`)
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : ''
  })
}
