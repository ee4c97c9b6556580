import type { DatabaseSync } from 'node:sqlite'
import type { About, Stored } from './change.ts'

const SCHEMA = `
CREATE TABLE IF NOT EXISTS objects (
  key TEXT NOT NULL,
  version INTEGER NOT NULL,
  latest INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  octets INTEGER NOT NULL,
  type TEXT NOT NULL,
  declared TEXT,
  detected TEXT,
  about TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (key, version)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_content ON objects (sha256);
PRAGMA user_version = 1;
`

/**
 * Make the table of objects where there is none.
 *
 * WAL: readers on other threads never wait, and a process that is killed leaves nothing half done. A synchronous commit
 * is there after a power failure.
 */
export function createTable(database: DatabaseSync, sync: boolean): void {
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${sync ? 'FULL' : 'NORMAL'}; ${SCHEMA}`)
}

/** One row of the table as an object. */
export function storedOf(row: Readonly<Record<string, unknown>>): Stored {
  return {
    key: row['key'] as string,
    version: row['version'] as number,
    isLatest: row['latest'] === 1,
    sha256: row['sha256'] as string,
    octets: row['octets'] as number,
    type: row['type'] as string,
    declared: row['declared'] as string | null,
    detected: row['detected'] as string | null,
    about: JSON.parse(row['about'] as string) as About,
    createdMs: row['created'] as number,
  }
}
