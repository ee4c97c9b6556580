/**
 * A name of a certificate, or the URL of a directory, as the name of a file.
 *
 * @example fileNameOf('*.example.com') // '_.example.com'
 */
export function fileNameOf(text: string): string {
  return text
    .replace(/^https:\/\//, '')
    .replace('*', '_')
    .replace(/[^\w.-]+/g, '-')
    .slice(0, 200)
}
