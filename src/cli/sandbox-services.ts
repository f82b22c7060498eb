// narthex sandbox services: the addresses of Services in a running sandbox, and who is behind them, as ipvsadm -Ln shows it.
import { UsageError } from '../config/parse.ts'
import type { CommandFunction } from './command.ts'
import { outputFormat, parseFlags } from './flags.ts'
import { DEFAULT_SANDBOX, fetchSandbox } from './source.ts'

export const sandboxServices: CommandFunction = async ({ args, env, out }) => {
  const { values, positionals } = parseFlags('sandbox services', args, {
    output: { type: 'string', short: 'o', default: 'text' },
    api: { type: 'string', default: env['NARTHEX_API'] ?? DEFAULT_SANDBOX },
  })
  if (positionals.length > 0) throw new UsageError(`narthex sandbox services: unexpected argument "${positionals[0]}"; see narthex sandbox services --help`)
  const format = outputFormat('sandbox services', values.output)
  const listing = await fetchSandbox(values.api, '/sandbox/services', format === 'json' ? 'application/json' : 'text/plain')
  out(format === 'json' ? `${JSON.stringify(JSON.parse(listing), null, 2)}\n` : listing)
  return 0
}
