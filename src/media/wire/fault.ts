/** 422: the file is what it is, asking again does not help; 502: its octets could not be had. */
export type MediaFaultStatus = 422 | 502

/** A film that cannot be offered, with the reason a person can act on. */
export class MediaFault extends Error {
  readonly status: MediaFaultStatus

  constructor(reason: string, status: MediaFaultStatus = 422) {
    super(reason)
    this.name = 'MediaFault'
    this.status = status
  }
}
