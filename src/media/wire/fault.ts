/** A film that cannot be offered, with the reason a person can act on. */
export class MediaFault extends Error {
  /**
   * 422: the file is what it is, asking again does not help; 404: there is no such thing; 5xx: its octets could not be
   * had; others as who has the film says.
   */
  readonly status: number

  constructor(reason: string, status = 422) {
    super(reason)
    this.name = 'MediaFault'
    this.status = status
  }
}
