const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EPERM: 'this user may not',
  ENOENT: 'it is not there',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'it is a folder',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  EMFILE: 'this process has as many files open as it may',
  ENFILE: 'this machine has as many files open as it may',
  EIO: 'the disk does not answer as it should',
}

/**
 * What went wrong with a file, for people: `Cannot open /var/lib/portico/tls/root.key: the disk is full (ENOSPC).`
 *
 * @returns the message of the error itself, when it is not about a file
 */
export function sayError(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, syscall, path } = error as NodeJS.ErrnoException
  const reason = code === undefined ? undefined : REASONS[code]
  if (reason === undefined || syscall === undefined) return error.message
  const what = path === undefined ? syscall : `${syscall} ${path}`
  return `Cannot ${what}: ${reason} (${code}).`
}
