import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask, octetsOf } from '../../../test/exchange.ts'
import { type Page, renderPage, respondPage } from './page.ts'

const page: Page = {
  status: 404,
  detail: 'Nothing at “<b>&"\'” answers.',
  fault: 'client',
  fields: [['Allow', 'GET']],
}

test('respondPage() sends HTML to those who name it and text to the others (RFC 9110 §12.5.1)', async () => {
  const cases: [string | null, 'html' | 'plain'][] = [
    ['text/html,application/xhtml+xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json, TEXT/HTML;q=0.1', 'html'],
    ['text/html;q=0', 'plain'],
    ['text/html; q=0.000, */*', 'plain'],
    ['text/html-ish', 'plain'],
    ['application/x-text/html', 'plain'],
    ['*/*', 'plain'],
    [null, 'plain'],
  ]
  for (const [accept, type] of cases) {
    const fields: [string, string][] = accept === null ? [] : [['Accept', accept]]
    const answer = await ask((exchange) => respondPage(exchange, page), { fields })
    assert.equal(answer.head.fields.get('content-type'), `text/${type}; charset=utf-8`, accept ?? 'none')
    assert.equal(answer.head.lengthOctets, (await octetsOf(answer)).length)
    assert.deepEqual([answer.status, answer.head.fields.get('allow')], [404, 'GET'])
  }
})

test('renderPage() escapes what it is told and fetches and runs nothing', () => {
  const { body, fields } = renderPage(page, true)
  assert.match(`${body}`, /Nothing at “&#60;b&#62;&#38;&#34;&#39;” answers/)
  assert.doesNotMatch(`${body}`, /<script|src=|href=|@import/)
  assert.match(fields.get('content-security-policy') ?? '', /default-src 'none'/)
})

test('renderPage() is not kept by caches (RFC 9110 §15.1)', () => {
  assert.equal(renderPage(page, false).fields.get('cache-control'), 'no-store')
})

test('renderPage() says whose fault it is', () => {
  const text = (fault: Page['fault']) =>
    `${renderPage({ status: 502, detail: 'It is dead.', fault }, false).body}`
  assert.equal(text(null), '502 Bad Gateway\nIt is dead.\n')
  assert.match(text('origin'), /service behind this address/)
})
