// Command line and environment to one frozen Config. Flags win over the environment, the environment over defaults.
import { OPTION_LIST, environmentName, type Command, type Config, type Option, type OptionName } from './options.ts'
import { ValueError } from './values.ts'

/** A mistake on the command line: one line for the user, exit status 2. */
export class UsageError extends Error {}

export interface Arguments {
  readonly config: Config
  /** Those that have their value from the command line or the environment. */
  readonly given: ReadonlySet<OptionName>
  readonly help: boolean
}

/**
 * Reads `--flag value`, `--flag=value` and bare switches. Throws UsageError for an unknown flag (with the
 * nearest known one), a missing value, a bad value, or a positional argument.
 */
export function parseConfig(command: Command, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Arguments {
  const given = new Map<string, string[]>()
  const known = optionsOf(command)
  const byFlag = new Map(known.map(([, option]) => [option.flag, option]))
  let help = false
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? ''
    if (arg === '--help' || arg === '-h') {
      help = true
      continue
    }
    if (!arg.startsWith('--')) throw new UsageError(`narthex ${command}: unexpected argument "${arg}"; see narthex ${command} --help`)
    const equals = arg.indexOf('=')
    const flag = arg.slice(2, equals === -1 ? undefined : equals)
    const option = byFlag.get(flag)
    if (option === undefined) throw new UsageError(`narthex ${command}: unknown option --${flag}${suggestion(flag, [...byFlag.keys()])}; see narthex ${command} --help`)
    const text = equals !== -1 ? arg.slice(equals + 1) : option.placeholder === '' ? 'true' : args[++i]
    if (text === undefined) throw new UsageError(`narthex ${command}: --${flag} wants a value: --${flag} ${option.placeholder}`)
    given.set(flag, [...(given.get(flag) ?? []), text])
  }
  const values: Record<string, unknown> = {}
  const setByUser = new Set<OptionName>()
  for (const [name, option] of OPTION_LIST) {
    values[name] = command === 'sandbox' && option.sandboxFallback !== undefined ? option.sandboxFallback : option.fallback
  }
  for (const [name, option] of known) {
    const fromFlag = given.get(option.flag)
    const variable = environmentName(option.flag)
    const fromEnv = env[variable]
    const fromOther = command === 'run' && option.variable !== undefined ? env[option.variable] : undefined
    if (fromFlag !== undefined || (fromEnv !== undefined && fromEnv !== '')) setByUser.add(name)
    if (fromFlag !== undefined) values[name] = read(command, option, `--${option.flag}`, fromFlag)
    else if (fromEnv !== undefined && fromEnv !== '') values[name] = read(command, option, variable, [fromEnv])
    else if (fromOther !== undefined && fromOther !== '') values[name] = read(command, option, option.variable ?? '', [fromOther])
  }
  // Every name of OPTIONS was filled in above, each by its own parser or fallback.
  const config = Object.freeze(values) as Config
  const conflict = help ? undefined : conflictIn(config)
  if (conflict !== undefined) throw new UsageError(`narthex ${command}: ${conflict.message}`)
  return { config, given: setByUser, help }
}

/** Milliseconds: shorter would only be a burden on DNS servers. */
const SHORTEST_DNS_TTL = 100

export interface Conflict {
  /** The one to leave out. */
  readonly option: OptionName
  readonly message: string
}

/** Options that say nothing without another one, or against each other: better told than found out. */
export function conflictIn({ useForwardedHeaders, proxyRealIpCidr, useProxyProtocol, proxyProtocolCidr, dnsMinTtl, dnsMaxTtl }: Config): Conflict | undefined {
  if (useForwardedHeaders && proxyRealIpCidr.length === 0) return { option: 'useForwardedHeaders', message: '--use-forwarded-headers believes nobody without --proxy-real-ip-cidr' }
  if (useProxyProtocol && proxyProtocolCidr.length + proxyRealIpCidr.length === 0) {
    return { option: 'useProxyProtocol', message: '--use-proxy-protocol takes connections from nobody without --proxy-protocol-cidr or --proxy-real-ip-cidr' }
  }
  if (dnsMinTtl < SHORTEST_DNS_TTL) return { option: 'dnsMinTtl', message: `--dns-min-ttl wants at least ${SHORTEST_DNS_TTL}ms` }
  if (dnsMinTtl > dnsMaxTtl) return { option: 'dnsMinTtl', message: '--dns-min-ttl is longer than --dns-max-ttl' }
  return undefined
}

/** The options a command takes, in the order of the table. */
export function optionsOf(command: Command): [OptionName, Option<unknown>][] {
  return OPTION_LIST.filter(([, option]) => option.only === undefined || option.only === command)
}

function read(command: Command, option: Option<unknown>, label: string, texts: readonly string[]): unknown {
  try {
    const parsed = texts.map((text) => option.parse(text))
    return option.collect ? option.collect(parsed) : parsed.at(-1)
  } catch (error) {
    if (error instanceof ValueError) throw new UsageError(`narthex ${command}: ${label} ${error.message}`)
    throw error
  }
}

function suggestion(flag: string, known: readonly string[]): string {
  const found = nearest(flag, known)
  return found === undefined ? '' : ` (did you mean --${found}?)`
}

/** The name that was probably meant; undefined: none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const [best] = known.map((each) => ({ each, distance: editDistance(name, each) })).sort((a, b) => a.distance - b.distance)
  return best !== undefined && best.distance <= Math.max(2, name.length / 4) ? best.each : undefined
}

/** Levenshtein; flags are short. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
