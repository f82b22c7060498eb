// The option table as text: for --help and for docs/options.md.
import { OPTION_LIST, environmentName, type Command, type Option } from './options.ts'
import { optionsOf } from './parse.ts'

const WIDTH = 100
const HELP_COLUMN = 36

/** The option section of `narthex COMMAND --help`, grouped, wrapped at 100 columns. */
export function optionHelp(command: Command): string {
  const lines: string[] = []
  let group = ''
  for (const [, option] of byGroup(optionsOf(command))) {
    if (option.group !== group) {
      group = option.group
      lines.push('', `${group}:`)
    }
    const left = `  --${option.flag}${option.placeholder === '' ? '' : ` ${option.placeholder}`}`
    const right = wrap(`${option.help} [${shownDefault(option, command)}]`, WIDTH - HELP_COLUMN)
    if (left.length < HELP_COLUMN - 1) lines.push(left.padEnd(HELP_COLUMN) + right[0], ...right.slice(1).map((line) => ' '.repeat(HELP_COLUMN) + line))
    else lines.push(left, ...right.map((line) => ' '.repeat(HELP_COLUMN) + line))
  }
  return lines.join('\n').trimStart()
}

/** docs/options.md. */
export function optionDocs(): string {
  const lines = [
    '# Options',
    '',
    'Each option is a flag of `narthex run` and `narthex sandbox` and an environment variable; a flag wins over its variable.',
    'A time is `500ms`, `60s`, `5m` or `1h` (a bare number is seconds); a size is `512`, `8k` or `1m`.',
    '',
    '<!-- Generated from src/config/options.ts by `npm run docs`. -->',
  ]
  let group = ''
  for (const [, option] of byGroup(OPTION_LIST)) {
    if (option.group !== group) {
      group = option.group
      lines.push('', `## ${group}`, '', '| flag | variable | default | what it does |', '|---|---|---|---|')
    }
    const fallback = shownDefault(option, 'run')
    const sandbox = option.only === 'sandbox' ? shownDefault(option, 'sandbox') : option.sandboxFallback === undefined ? fallback : `${fallback} (sandbox: ${shownDefault(option, 'sandbox')})`
    const only = option.only === undefined ? '' : ` Only \`narthex ${option.only}\`.`
    const flag = `--${option.flag}${option.placeholder === '' ? '' : ` ${option.placeholder.replace('|', '\\|')}`}`
    lines.push(`| \`${flag}\` | \`${environmentName(option.flag)}\` | ${sandbox} | ${option.help}${only} |`)
  }
  return `${lines.join('\n')}\n`
}

function byGroup<T>(options: readonly (readonly [T, Option<unknown>])[]): (readonly [T, Option<unknown>])[] {
  const order = [...new Set(options.map(([, option]) => option.group))]
  return [...options].sort(([, a], [, b]) => order.indexOf(a.group) - order.indexOf(b.group))
}

function shownDefault(option: Option<unknown>, command: Command): string {
  if (command === 'sandbox' && option.sandboxFallback !== undefined) return shown(option, option.sandboxFallback)
  return option.shownFallback ?? shown(option, option.fallback)
}

function shown(option: Option<unknown>, value: unknown): string {
  if (option.placeholder === 'TIME' && typeof value === 'number') return value % 1000 === 0 ? `${value / 1000}s` : `${value}ms`
  if (option.placeholder === 'SIZE' && typeof value === 'number' && value > 0) return value % 1024 ** 2 === 0 ? `${value / 1024 ** 2}m` : `${value / 1024}k`
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',')
  if (value === 0 && option.flag.startsWith('public-')) return `as --${option.flag.slice('public-'.length)}`
  return value === '' ? 'none' : String(value)
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

