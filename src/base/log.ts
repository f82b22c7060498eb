// The log as a parameter: a function, so that any part can be given one and tests can listen.

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** `facts` become fields of the line; never a key, a credential or a body. */
export type Log = (level: LogLevel, message: string, facts?: Readonly<Record<string, unknown>>) => void

export const silentLog: Log = () => undefined
