/** What a machine says: `level`, a stable `event` and plain fields. Where it goes is the wiring's choice. */
export type Log = (level: LogLevel, event: string, fields?: Readonly<Record<string, LogValue>>) => void

export type LogLevel = 'debug' | 'info' | 'warning' | 'error'

export type LogValue = string | number | boolean | null | undefined

/** For tests and programs that listen to nothing. */
export const silent: Log = () => {}
