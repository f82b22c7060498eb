// Flags of the commands that do not start anything: few, without environment variables.
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util'
import { UsageError } from '../config/parse.ts'
import type { CommandName } from './usage.ts'

/** node:util parseArgs, with its complaints as one line of ours. */
export function parseFlags<const T extends ParseArgsOptionsConfig>(command: CommandName, args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ')[0] ?? '') : String(error)
    throw new UsageError(`narthex ${command}: ${reason.charAt(0).toLowerCase()}${reason.slice(1)}; see narthex ${command} --help`)
  }
}

export function outputFormat(command: CommandName, text: string): 'text' | 'json' {
  if (text === 'text' || text === 'json') return text
  throw new UsageError(`narthex ${command}: -o wants text or json, got "${text}"`)
}
