// What commands that translate files ask about them.
import { UsageError } from '../config/parse.ts'
import { DEFAULT_TRANSLATE_OPTIONS, type TranslateOptions } from '../translate/options.ts'
import type { CommandName } from './usage.ts'

const { ingressClass, controllerClass } = DEFAULT_TRANSLATE_OPTIONS

/** For `parseFlags`. */
export const OFFLINE_FLAGS = {
  'ingress-class': { type: 'string', default: ingressClass },
  'controller-class': { type: 'string', default: controllerClass },
  'configmap': { type: 'string', default: '' },
  'tcp-services-configmap': { type: 'string' },
  'udp-services-configmap': { type: 'string' },
} as const

interface OfflineValues {
  readonly 'ingress-class': string
  readonly 'controller-class': string
  readonly 'configmap': string
  readonly 'tcp-services-configmap'?: string | undefined
  readonly 'udp-services-configmap'?: string | undefined
}

export interface OfflineOptions {
  readonly translate: Partial<TranslateOptions>
  /** `namespace/name` of the one with settings; empty: none. */
  readonly configMap: string
}

/** Throws UsageError where a ConfigMap is not named as `namespace/name`. */
export function offlineOptions(command: CommandName, values: OfflineValues): OfflineOptions {
  for (const flag of ['configmap', 'tcp-services-configmap', 'udp-services-configmap'] as const) {
    const value = values[flag] ?? ''
    if (value !== '' && !/^[^/]+\/[^/]+$/.test(value)) throw new UsageError(`narthex ${command}: --${flag} wants namespace/name, got "${value}"`)
  }
  const translate = {
    ingressClass: values['ingress-class'],
    controllerClass: values['controller-class'],
    tcpServices: values['tcp-services-configmap'],
    udpServices: values['udp-services-configmap'],
  }
  return { translate, configMap: values.configmap }
}
