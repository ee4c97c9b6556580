import { escapeHtml } from '#http/wire/page.ts'

/** What the page of a film is told. */
export type PlayerFilm = {
  /** for people: the name of the file, decoded, or what the file calls itself */
  readonly title: string
  /** `index.m3u8` and `manifest.mpd` beside the page: which of them there are */
  readonly formats: readonly ('hls' | 'dash')[]
  /** what plays it unless the query says otherwise */
  readonly player: 'hls' | 'dash' | 'browser'
  /** reference to the file as it is, relative to the page; empty when there is none */
  readonly file: string
  /** reference to small pictures of the film (WebVTT with `#xywh=`), relative to the page; empty when there are none */
  readonly storyboard: string
  /** it is sent at this moment, or may be: the page waits for it */
  readonly isLive: boolean
  /** of the server that gives keys, where it is another one */
  readonly keyOrigin: string
}

/** References to hls.js and dash.js, relative to the page. */
export type Libraries = { readonly hls: string; readonly dash: string }

/** Style and script of the page, as text. */
export type PageParts = { readonly style: string; readonly script: string }

/**
 * The page that plays a film and shows what happens meanwhile. It asks nobody but its own host for anything.
 *
 * @param nonce of its Content-Security-Policy: without it nothing on the page runs
 */
export function playerPage(
  film: PlayerFilm,
  libraries: Libraries,
  { style, script }: PageParts,
  nonce: string,
): string {
  const title = escapeHtml(film.title)
  const has = (format: 'hls' | 'dash'): string => (film.formats.includes(format) ? libraries[format] : '')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<link rel="icon" href="${ICON}">
<style nonce="${nonce}">${style}</style>
<main data-hls="${has('hls')}" data-dash="${has('dash')}" data-file="${escapeHtml(film.file)}" data-player="${film.player}"${film.isLive ? ' data-live="yes"' : ''} data-storyboard="${escapeHtml(film.storyboard)}">
<video controls playsinline preload="metadata" aria-label="${title}"></video>
<div id="line">
<div id="peek" hidden><i id="still"></i><b id="time"></b></div>
<input id="seek" type="range" min="0" max="1" step="any" value="0" disabled aria-label="Position in the film">
<button id="live" type="button" hidden></button>
</div>
<output id="says" aria-live="polite"></output>
<h1>${title}</h1>
<div id="menus">
${menus.map(([id, name, options]) => `<label>${name}<select id="${id}">${options}</select></label>`).join('\n')}
</div>
<section>
<canvas id="graph" role="img" aria-label="The last minute: seconds ahead of the picture, requests, switches and stalls"></canvas>
<dl>
${figures.map(([id, name]) => `<div${id === 'behind' ? ' hidden' : ''}><dt>${name}</dt><dd id="${id}">–</dd></div>`).join('\n')}
</dl>
<footer><kbd>Space</kbd> play or pause · <kbd>←</kbd> <kbd>→</kbd> 5 seconds · <kbd>0</kbd>–<kbd>9</kbd> tenths · <kbd>↑</kbd> <kbd>↓</kbd> volume · <kbd>f</kbd> full screen · <kbd>m</kbd> mute · <kbd>c</kbd> subtitles${film.isLive ? ' · <kbd>l</kbd> live' : ''}</footer>
</section>
<noscript><p>This page needs JavaScript.${film.file === '' ? '' : ` <a href="${escapeHtml(film.file)}">The film itself</a> does not.`}</p></noscript>
</main>
<script nonce="${nonce}">(() => {
'use strict'
${script}})()</script>
</html>
`
}

/** A picture that is in the page itself: nobody asks for a favicon. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#2457c5" d="M3 1v14l11-7z"/></svg>',
)}`

const menus: readonly (readonly [id: string, name: string, options: string])[] = [
  ['player', 'Played by', ''],
  ['quality', 'Quality', ''],
  ['sound', 'Sound', ''],
  ['text', 'Subtitles', ''],
  [
    'speed',
    'Speed',
    [0.5, 0.75, 1, 1.25, 1.5, 2]
      .map((speed) => `<option value="${speed}"${speed === 1 ? ' selected' : ''}>${speed} ×</option>`)
      .join(''),
  ],
]

const figures: readonly (readonly [id: string, name: string])[] = [
  ['ahead', 'Ahead'],
  ['behind', 'Behind the encoder'],
  ['throughput', 'Throughput'],
  ['octets', 'Received'],
  ['requests', 'Requests'],
  ['shown', 'Picture'],
  ['switches', 'Switches'],
  ['stalls', 'Stalls'],
  ['first', 'First picture after'],
  ['dropped', 'Frames dropped'],
]
