import { createHash } from 'node:crypto'
import type { Exchange } from '#http/exchange.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { SCRIPT } from './page-script.ts'

/** The page for uploads into the folder that it stands at. It fetches nothing from elsewhere. */
export function respondUploadPage(exchange: Exchange): void {
  exchange.respond({ status: 200, fields: FIELDS, lengthOctets: PAGE.length }, PAGE)
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1d2430; --soft: #5b6575; --paper: #f6f7f9; --line: #c4ccd8; --link: #2457c5 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebf0; --soft: #9aa5b5; --paper: #14181f; --line: #3a4452; --link: #7aa5ff } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem }
h1 { margin: 0 0 1rem; font-size: 1.5rem }
label { display: block; padding: 2.5rem 1rem; border: 2px dashed var(--line); border-radius: .75rem; text-align: center; cursor: pointer }
label:focus-within, label.over { border-color: var(--link); outline: 3px solid color-mix(in srgb, var(--link) 30%, transparent) }
input { position: absolute; opacity: 0; pointer-events: none }
small { display: block; color: var(--soft) }
ul { list-style: none; margin: 1.5rem 0; padding: 0 }
li { display: grid; grid-template-columns: 1fr auto; gap: .25rem 1rem; align-items: center; padding: .75rem 0; border-bottom: 1px solid var(--line) }
li > span { overflow-wrap: anywhere }
progress { grid-column: 1 / -1; width: 100%; height: .5rem; accent-color: var(--link) }
output { grid-column: 1 / -1; color: var(--soft); font-size: .9rem; font-variant-numeric: tabular-nums }
button { font: inherit; min-width: 6rem; min-height: 2.75rem; padding: .35rem .75rem; border: 1px solid var(--line); border-radius: .5rem; background: transparent; color: inherit; cursor: pointer }
a { color: var(--link) }
`

const PAGE = Buffer.from(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upload</title>
<style>${STYLE}</style>
<main>
<h1>Upload</h1>
<form method="post" enctype="multipart/form-data">
<label id="drop"><input id="files" name="file" type="file" multiple>Choose files, or drop them here<small>What stops can go on where it was.</small></label>
<noscript><p><button>Upload</button></p></noscript>
</form>
<ul id="list" aria-live="polite"></ul>
</main>
<script>${SCRIPT}</script>
</html>
`)

const scriptHash = createHash('sha256').update(SCRIPT).digest('base64')
const FIELDS = fieldsOf([
  ['Content-Type', 'text/html; charset=utf-8'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Cache-Control', 'no-cache'],
  [
    'Content-Security-Policy',
    `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'`,
  ],
])
