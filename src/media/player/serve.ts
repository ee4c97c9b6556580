import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import type { Exchange } from '#http/exchange.ts'
import { type Coding, chooseCoding } from '#http/wire/accept-encoding.ts'
import { fieldsOf } from '#http/wire/fields.ts'
import { respondPage } from '#http/wire/page.ts'
import { carriedLibraries } from './libraries.ts'
import { type PageParts, type PlayerFilm, playerPage } from './page.ts'

/** A script of others that the page loads: hls.js or dash.js. */
type Library = {
  /** its reference below the page: it changes with the content */
  readonly name: string
  readonly octets: Buffer
  /** compressed when somebody asks for it first, and kept */
  readonly coded: Partial<Record<Coding, Promise<Buffer>>>
}

type Parts = PageParts & { readonly hls: Library; readonly dash: Library }

/** Answers for the page of a film and what it loads. */
export type Player = {
  /**
   * Answer a request for a name below a film, such as `play` or `play/hls.0a1b2c3d4e5f6071.js`.
   *
   * @returns false when the name is none of the page's: the exchange is as it was
   */
  serve(exchange: Exchange, name: string, film: PlayerFilm): boolean
}

/** @param log is told when a file of the page cannot be read, which is a fault of the installation */
export function createPlayer(log: (error: unknown) => void): Player {
  let parts: Promise<Parts> | undefined
  return {
    serve(exchange, name, film) {
      if (name !== 'play' && !LIBRARY_NAME.test(name)) return false
      const answer = async (): Promise<void> => {
        const has = await (parts ??= readParts())
        if (name === 'play') respondPlayer(exchange, film, has)
        else await respondLibrary(exchange, name, has)
      }
      answer().catch((error: unknown) => {
        parts = undefined
        log(error)
        const detail = 'The player page cannot be read.'
        respondPage(exchange, { status: 500, detail, fault: 'portico' })
      })
      return true
    },
  }
}

const LIBRARY_NAME = /^play\/(?:hls|dash)\.[0-9a-f]{16}\.js$/

function respondPlayer(exchange: Exchange, film: PlayerFilm, { hls, dash, ...page }: Parts): void {
  const nonce = randomBytes(16).toString('base64')
  const text = Buffer.from(playerPage(film, { hls: hls.name, dash: dash.name }, page, nonce))
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    // Players hand pictures to <video> as blob: URLs, and hls.js an empty track as data:.
    "media-src 'self' blob: data:",
    ["connect-src 'self'", film.keyOrigin].join(' ').trim(),
    "img-src 'self' blob: data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const fields = fieldsOf([
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Content-Security-Policy', policy],
    ['X-Content-Type-Options', 'nosniff'],
    ['Referrer-Policy', 'same-origin'],
    ['Cache-Control', 'no-store'],
  ])
  exchange.respond({ status: 200, fields, lengthOctets: text.length }, text)
}

async function respondLibrary(exchange: Exchange, name: string, { hls, dash }: Parts): Promise<void> {
  const library = [hls, dash].find((one) => one.name === name)
  if (library === undefined) {
    const detail = 'The player page has another script by now: load it again.'
    return respondPage(exchange, { status: 404, detail, fault: 'client' })
  }
  const { coding } = chooseCoding(exchange.request.fields.all('accept-encoding'), ['br', 'gzip'])
  const octets = coding === null ? library.octets : await (library.coded[coding] ??= code(library, coding))
  const fields = fieldsOf([
    ['Content-Type', 'text/javascript; charset=utf-8'],
    ['X-Content-Type-Options', 'nosniff'],
    // The name changes with the content (RFC 8246 §2).
    ['Cache-Control', 'public, max-age=31536000, immutable'],
    ['Vary', 'Accept-Encoding'],
    ...(coding === null ? [] : [['Content-Encoding', coding] as const]),
  ])
  exchange.respond({ status: 200, fields, lengthOctets: octets.length }, octets)
}

function code({ octets }: Library, coding: Coding): Promise<Buffer> {
  if (coding === 'gzip') return promisify(gzip)(octets, { level: 9 })
  // 9: 120 ms once, against 1.2 s for a twentieth less by 11.
  return promisify(brotliCompress)(octets, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
}

const SCRIPTS = [
  './graph.js',
  './timeline.js',
  './live.js',
  './mend.js',
  './cmcd.js',
  './drivers.js',
  './player.js',
]

async function readParts(): Promise<Parts> {
  const text = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), 'utf8')
  const scripts = await Promise.all(SCRIPTS.map(text))
  const [style, hls, dash] = await Promise.all([
    text('./player.css'),
    readLibrary('hls'),
    readLibrary('dash'),
  ])
  // One script for the page: what they import of each other stands beside it then.
  const script = scripts.join('').replace(/^import .*\n|^export /gm, '')
  return { style, script, hls, dash }
}

/** The package carries both libraries beside this file; a checkout has them where npm puts them. */
async function readLibrary(name: keyof typeof carriedLibraries): Promise<Library> {
  const read = (carried: string, installed: string): Promise<Buffer> =>
    readFile(new URL(carried, import.meta.url)).catch(() =>
      readFile(new URL(`../../../node_modules/${installed}`, import.meta.url)),
    )
  const { script, licence } = carriedLibraries[name]
  const [content, terms] = await Promise.all([
    read(`./${name}.js`, script),
    read(`./${name}.licence`, licence),
  ])
  // Whoever receives a copy receives its terms (Apache-2.0, BSD-3-Clause).
  const octets = Buffer.concat([
    Buffer.from(`/*!\n${terms.toString().replaceAll('*/', '* /')}\n*/\n`),
    content,
  ])
  const hash = createHash('sha256').update(octets).digest('hex').slice(0, 16)
  return { name: `play/${name}.${hash}.js`, octets, coded: {} }
}
