/** What is written in a file of one domain; each part the inside of its object. */
export type Parts = {
  readonly hosts?: string
  readonly records?: string
  /** beside `domains`, with a comma at the end */
  readonly top?: string
  /** beside `hosts` and `records` */
  readonly domain?: string
}

/** A file with one fault: the example of one code, in the tests and in docs/checks.md. */
export type Planted = {
  readonly code: string
  readonly level: 'error' | 'warning'
  /** what the rule protects from */
  readonly why: string
  /** where the rule comes from; the fault's own message may cite more */
  readonly source?: string
  readonly text: string
  /** the problem stands where this text does first */
  readonly where: string
}

/** A fault as the tables have it: parts of a file of one domain, or a whole text. */
export type Fault = Omit<Planted, 'text' | 'level'> & { readonly level?: 'warning' } & (
    | Parts
    | { readonly text: string }
  )
