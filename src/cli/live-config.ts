// What holds of the configuration now: options, with the ConfigMap over their defaults, as translation and the threads want them.
import { reuse } from '../base/reuse.ts'
import { createConfigMapReader } from '../config/config-map.ts'
import type { Config } from '../config/options.ts'
import type { Arguments } from '../config/parse.ts'
import { proxySettings } from '../config/settings.ts'
import type { ClusterState } from '../kube/cluster-state.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ProxySettings } from '../model/settings.ts'
import { emptyMemory, remember } from '../translate/memory.ts'
import type { TranslateOptions } from '../translate/options.ts'

/** What it answers stays the same object while nothing in it has changed. */
export interface LiveConfig {
  /** To be called before each translation. */
  read(configMaps: ClusterState['configMaps']): void
  config(): Config
  options(): TranslateOptions
  settings(): ProxySettings
  /** Adds what is wrong with the ConfigMap. */
  withDiagnostics<T extends { readonly diagnostics: readonly Diagnostic[] }>(translation: T): T
  /** That really listens. Answers the settings. */
  setHttpsPort(port: number): ProxySettings
  /** Ports that we listen on. */
  reserve(ports: readonly number[]): void
  setZone(zone: string): void
}

export function createLiveConfig(parsed: Pick<Arguments, 'config' | 'given'>): LiveConfig {
  const { configmap } = parsed.config
  const reader = createConfigMapReader(parsed, configmap)
  const memory = emptyMemory<readonly Diagnostic[]>()
  let reading = reader(undefined)
  let { httpsPort, zone } = parsed.config
  let reserved: readonly number[] = []
  let settings = proxySettings(parsed.config, httpsPort)
  let options = translateOptions(parsed.config, reserved, zone)

  function renew(): void {
    settings = reuse(settings, proxySettings(reading.config, httpsPort))
    const next = translateOptions(reading.config, reserved, zone)
    options = reuse(options, reading.closed ? { ...next, closed: true, defaultBackendService: undefined } : next)
  }

  return {
    read(configMaps) {
      const next = reader(configMaps.get(configmap))
      if (next === reading) return
      reading = next
      renew()
    },
    config: () => reading.config,
    options: () => options,
    settings: () => settings,
    withDiagnostics(translation) {
      const found = reading.diagnostics
      if (found.length === 0) return translation
      return { ...translation, diagnostics: remember(memory, [translation.diagnostics, found], () => [...translation.diagnostics, ...found]) }
    },
    setHttpsPort(port) {
      httpsPort = port
      renew()
      return settings
    },
    reserve(ports) {
      reserved = ports
      renew()
    },
    setZone(next) {
      zone = next
      renew()
    },
  }
}

/** `closed` is not for options to say. */
export function translateOptions(config: Config, reservedPorts: readonly number[], zone: string): TranslateOptions {
  return Object.freeze({
    controllerClass: config.controllerClass,
    ingressClass: config.ingressClass,
    watchIngressWithoutClass: config.watchIngressWithoutClass,
    annotationPrefixes: config.annotationsPrefix,
    defaultBackendService: config.defaultBackendService === '' ? undefined : config.defaultBackendService,
    defaultSslCertificate: config.defaultSslCertificate === '' ? undefined : config.defaultSslCertificate,
    tcpServices: config.tcpServicesConfigmap === '' ? undefined : config.tcpServicesConfigmap,
    udpServices: config.udpServicesConfigmap === '' ? undefined : config.udpServicesConfigmap,
    reservedPorts,
    redirects: { tlsHosts: config.sslRedirect, allHosts: config.forceSslRedirect, status: config.httpRedirectCode },
    closed: false,
    scheduler: config.scheduler,
    place: { node: config.nodeName === '' ? undefined : config.nodeName, zone: zone === '' ? undefined : zone },
    ignoreTrafficPolicies: config.ignoreTrafficPolicies,
    sslPassthrough: config.enableSslPassthrough,
    ocspStapling: config.ocspStapling,
    allowLoopback: config.allowLoopbackEndpoints,
  })
}
