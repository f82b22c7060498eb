// The operational log: JSON lines on standard output.
import { pino } from 'pino'
import type { Log, LogLevel } from '../base/log.ts'

export function createLogger(level: LogLevel): Log {
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } })
  return (lineLevel, message, facts) => logger[lineLevel](facts ?? {}, message)
}
