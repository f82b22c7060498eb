// narthex check FILE|DIR…: what is wrong with Ingress YAML, before it is applied.
import { UsageError } from '../config/parse.ts'
import { formatRef } from '../model/object-ref.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { CommandFunction } from './command.ts'
import { outputFormat, parseFlags } from './flags.ts'
import { OFFLINE_FLAGS, offlineOptions } from './offline-flags.ts'
import { translateFiles } from './offline.ts'

export const check: CommandFunction = async ({ args, out }) => {
  const { values, positionals } = parseFlags('check', args, {
    output: { type: 'string', short: 'o', default: 'text' },
    ...OFFLINE_FLAGS,
  })
  if (positionals.length === 0) throw new UsageError('narthex check: wants files or directories: narthex check FILE|DIR…')
  const format = outputFormat('check', values.output)
  const { translate, configMap } = offlineOptions('check', values)
  const { diagnostics, ingresses, accepted, notes } = translateFiles(positionals, translate, configMap)
  const errors = diagnostics.filter((each) => each.severity === 'error').length
  if (format === 'json') out(`${JSON.stringify({ ingresses, accepted, diagnostics, notes }, null, 2)}\n`)
  else {
    for (const each of diagnostics) out(`${shown(each)}\n\n`)
    for (const note of notes) out(`note: ${note}\n`)
    if (accepted < ingresses) out(`note: ${counted(ingresses - accepted, 'Ingress', 'Ingresses')} of another class not checked; choose it with --ingress-class (and --controller-class).\n`)
    out(`${counted(ingresses, 'Ingress', 'Ingresses')}, ${accepted} of class ${values['ingress-class']}; ${counted(errors, 'error', 'errors')}, ${counted(diagnostics.length - errors, 'warning', 'warnings')}\n`)
  }
  return errors > 0 ? 1 : 0
}

function shown({ severity, reason, object, field, message, fix }: Diagnostic): string {
  return `${severity}: ${formatRef(object)}: ${field}: ${reason}\n  ${message}\n  Fix: ${fix}`
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`
}
