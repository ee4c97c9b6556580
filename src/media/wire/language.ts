/** The tag of a language (BCP 47) of what a file says, also of the three letters of ISO 639-2; undefined when it is none. */
export function canonicalLanguage(tag: string | undefined): string | undefined {
  if (!tag || !/^[a-z]{2,3}(-[a-z0-9]{2,8})*$/i.test(tag)) return undefined
  try {
    return Intl.getCanonicalLocales(tag)[0]
  } catch {
    return undefined
  }
}
