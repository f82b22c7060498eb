// Parses the command's name and runs it. The only place that ends the process.
import { CommandError, type CommandFunction } from './cli/command.ts'
import { COMMANDS, overview, usageOf, type CommandName } from './cli/usage.ts'
import { version } from './cli/version.ts'
import { UsageError } from './config/parse.ts'

// Loaded when asked for: `narthex routes` must not pay for a Kubernetes client.
const LOADERS: Readonly<Record<CommandName, () => Promise<CommandFunction>>> = {
  run: async () => (await import('./cli/run.ts')).run,
  sandbox: async () => (await import('./cli/sandbox.ts')).sandbox,
  'sandbox services': async () => (await import('./cli/sandbox-services.ts')).sandboxServices,
  check: async () => (await import('./cli/check.ts')).check,
  routes: async () => (await import('./cli/routes.ts')).routes,
  explain: async () => (await import('./cli/explain.ts')).explain,
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name)
const out = (text: string): void => void process.stdout.write(text)
const err = (text: string): void => void process.stderr.write(text)

/** The command's name first, as one word. */
function commandLine([first, second, ...rest]: readonly string[]): readonly string[] {
  if (first === 'sandbox' && second === 'services') return ['sandbox services', ...rest]
  return [first, second, ...rest].filter((word) => word !== undefined)
}

async function main(line: readonly string[]): Promise<number> {
  const [name, ...args] = commandLine(line)
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const topic = commandLine(args)[0]
    out(topic !== undefined && isCommand(topic) ? usageOf(topic) : overview())
    return 0
  }
  if (name === '--version' || name === '-v') {
    out(`narthex ${version()}\n`)
    return 0
  }
  if (!isCommand(name)) throw new UsageError(`narthex: unknown command "${name}"; commands are ${Object.keys(COMMANDS).join(', ')}; see narthex --help`)
  if (args.includes('--help') || args.includes('-h')) {
    out(usageOf(name))
    return 0
  }
  const command = await LOADERS[name]()
  return command({ args, env: process.env, out, err, exitNow: () => process.exit(1) })
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  if (error instanceof UsageError) {
    err(`${error.message}\n`)
    process.exitCode = 2
  } else {
    err(error instanceof CommandError ? `narthex: ${error.message}\n` : `narthex: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    process.exitCode = 1
  }
}
// Whatever is still open (an agent's kept sockets, a timer) must not keep a finished command alive.
process.exit()
