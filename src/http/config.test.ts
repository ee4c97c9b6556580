import assert from 'node:assert/strict'
import { test } from 'node:test'
import { httpLimitSettings, httpLimits } from './config.ts'

test('the default head holds four cookies of the size that browsers must keep (RFC 6265 §6.1)', () => {
  assert.ok(httpLimits().headerOctets > 4 * 4096)
})

test('the default time to connect outlasts two retransmits of the SYN (RFC 6298 §2)', () => {
  assert.ok(httpLimits().connectTimeoutMs > 1000 + 2000)
})

test('httpLimits() takes what is written, and lies within the limits of the table', () => {
  assert.equal(httpLimits({ header: 65_536 }).headerOctets, 65_536)
  for (const [name, setting] of Object.entries(httpLimitSettings.fields)) {
    if (!('initial' in setting && 'min' in setting)) assert.fail(`${name} has no default or no limits`)
    assert.ok(setting.initial! >= setting.min && setting.initial! <= setting.max, name)
  }
})
