import { readFileSync } from 'node:fs'

/** The version of this package. package.json stands two folders above, in a checkout as in the published package. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const parsed: unknown = JSON.parse(text)
  const found =
    typeof parsed === 'object' && parsed !== null && 'version' in parsed ? parsed.version : undefined
  return String(found)
}
