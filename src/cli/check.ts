// narthex check FILE|DIR…: what is wrong with Ingress YAML, before it is applied.
import { UsageError } from '../config/parse.ts'
import { formatRef } from '../model/object-ref.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { CommandFunction } from './command.ts'
import { outputFormat, parseFlags } from './flags.ts'
import { translateFiles } from './offline.ts'

export const check: CommandFunction = async ({ args, out }) => {
  const { values, positionals } = parseFlags('check', args, {
    output: { type: 'string', short: 'o', default: 'text' },
    'ingress-class': { type: 'string', default: 'narthex' },
    'controller-class': { type: 'string', default: 'narthex.ingress.kubernetes.io/controller' },
    configmap: { type: 'string' },
    'tcp-services-configmap': { type: 'string' },
    'udp-services-configmap': { type: 'string' },
  })
  if (positionals.length === 0) throw new UsageError('narthex check: wants files or directories: narthex check FILE|DIR…')
  const format = outputFormat('check', values.output)
  if (values.configmap?.includes('/') === false) throw new UsageError(`narthex check: --configmap wants namespace/name, got "${values.configmap}"`)
  const options = { ingressClass: values['ingress-class'], controllerClass: values['controller-class'], tcpServices: values['tcp-services-configmap'], udpServices: values['udp-services-configmap'] }
  const { diagnostics, ingresses, accepted, notes } = translateFiles(positionals, options, values.configmap)
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
