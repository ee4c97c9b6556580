import { escapeHtml } from '#http/wire/page.ts'

/** One name of a folder. */
export type Entry = {
  readonly name: string
  readonly isFolder: boolean
  readonly lengthOctets: number
  readonly modifiedMs: number
  /** name of a page below the file that shows it, such as `play`; null when there is none */
  readonly page: string | null
}

/** The page that lists a folder: folders first, then by name. It runs nothing and fetches nothing. */
export function listingPage(path: string, entries: readonly Entry[], isCut: boolean): string {
  const title = escapeHtml(decodeForPeople(path))
  const up = path === '/' ? '' : '<tr><td><a href="../">../</a><td><td>\n'
  const cut = isCut ? `<p>Only the first ${entries.length} are shown.</p>\n` : ''
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<main>
<h1>${title}</h1>
<table>
<thead><tr><th>Name<th class="size">Size<th>Changed</thead>
<tbody>
${up}${sorted(entries).map(row).join('')}</tbody>
</table>
${cut}</main>
</html>
`
}

function row({ name, isFolder, lengthOctets, modifiedMs, page }: Entry): string {
  const shown = escapeHtml(name) + (isFolder ? '/' : '')
  // Begun with "./": a name such as "javascript:x" is no scheme.
  const link = `./${encodeURIComponent(name)}${isFolder ? '/' : ''}`
  const date = new Date(modifiedMs).toISOString()
  const size = isFolder ? '' : sizeForPeople(lengthOctets)
  const more = page === null ? '' : ` <a href="${link}/${page}" aria-label="${page} ${shown}">${page}</a>`
  return `<tr><td><a href="${link}">${shown}</a>${more}<td class="size">${size}<td><time datetime="${date}">${date.slice(0, 16).replace('T', ' ')}</time>\n`
}

function sorted(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => {
    if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1
    return BY_NAME.compare(a.name, b.name) || (a.name < b.name ? -1 : 1)
  })
}

/** As people look for names: `part 10` behind `part 2`, whatever the case. */
const BY_NAME = new Intl.Collator('en', { numeric: true })

function sizeForPeople(octets: number): string {
  if (octets < 1024) return `${octets} B`
  const power = Math.min(4, Math.floor(Math.log2(octets) / 10))
  return `${(octets / 1024 ** power).toPrecision(3)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

function decodeForPeople(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6575; --paper: #f6f7f9; --line: #d9dee7; --link: #2457c5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #9aa5b5; --paper: #14181f; --line: #2b3340; --link: #7aa5ff } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem }
h1 { margin: 0 0 1rem; font-size: 1.4rem; overflow-wrap: anywhere }
table { width: 100%; border-collapse: collapse }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .85rem }
th, td { padding: .35rem .5rem; border-bottom: 1px solid var(--line) }
td:first-child { overflow-wrap: anywhere; width: 100% }
td:not(:first-child) { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums }
.size { text-align: right }
tbody tr:hover { background: color-mix(in srgb, var(--link) 8%, transparent) }
a { color: var(--link); text-decoration: none }
a:hover, a:focus { text-decoration: underline }
@media (max-width: 30rem) { th:last-child, td:last-child { display: none } }
`
