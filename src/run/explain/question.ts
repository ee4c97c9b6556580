import { typeNumber } from '#dns/wire/types.ts'
import { parseAuthority } from '#http/wire/authority.ts'
import type { Plan } from '#plan/plan.ts'

/** What a person wants explained: a URL, a name and a type, or a name alone. */
export type Question =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'host'; readonly name: string }
  | RecordQuestion

export type RecordQuestion = { readonly kind: 'record'; readonly name: string; readonly type: string }

/**
 * Read what a person wants explained.
 *
 * @param words `https://…`, `NAME`, or `NAME TYPE`
 * @returns the question, or a sentence that says what is wanted
 */
export function parseQuestion(words: readonly string[]): Question | string {
  const [target = '', type] = words.length === 1 ? words[0]!.trim().split(/\s+/) : words
  if (target.includes('://')) {
    const url = URL.canParse(target) ? new URL(target) : null
    if (url === null || !/^https?:$/.test(url.protocol)) return `"${target}" is no http or https URL.`
    return { kind: 'url', url }
  }
  if (type !== undefined) {
    return typeNumber(type) === undefined
      ? `"${type}" is no record type, such as A or MX.`
      : { kind: 'record', name: target, type }
  }
  if (!URL.canParse(`https://${target}/`)) return `"${target}" is neither a URL nor a name.`
  return { kind: 'host', name: target }
}

/** The name that a question is about. */
export function hostOf(question: Question): string {
  return question.kind === 'url' ? hostOfUrl(question.url) : question.name
}

/** The host of a URL as routes know it. */
export function hostOfUrl(url: URL): string {
  return parseAuthority(url.host)?.host ?? url.hostname
}

/** The URL that is asked about: of a name alone its first page, over HTTPS where that is served, at that port. */
export function urlOf(question: Exclude<Question, RecordQuestion>, { listeners }: Plan): URL {
  if (question.kind === 'url') return question.url
  const listener =
    listeners.find(({ protocol }) => protocol === 'https') ??
    listeners.find(({ protocol }) => protocol === 'http')
  const url = new URL(`${listener?.protocol ?? 'https'}://${question.name}/`)
  if (url.port === '' && listener !== undefined) url.port = String(listener.port)
  return url
}
