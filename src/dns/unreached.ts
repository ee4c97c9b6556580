/** Why another server was not reached, in words where the system's code says little to a person. */
export function whyUnreached(error: NodeJS.ErrnoException): string {
  return error.code === 'ECONNREFUSED' ? 'nothing listens there' : (error.code ?? error.message)
}
