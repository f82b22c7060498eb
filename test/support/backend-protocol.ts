// Routing to backends that are spoken to otherwise than in plain HTTP/1.1.
import type { BackendProtocol, BackendTls } from '../../src/model/backend-protocol.ts'
import type { RoutingConfig } from '../../src/model/routing.ts'

export function overTls(tls: Partial<BackendTls> = {}, rest: Partial<BackendProtocol> = {}): BackendProtocol {
  const whole = { name: 'backend.example', sendName: false, ...tls }
  return { id: JSON.stringify([whole, rest]), version: 1, tls: whole, ...rest }
}

export const H2C: BackendProtocol = { id: 'GRPC', version: 2 }

/** All backends of `config`, or the one with this id. */
export function spoken(config: RoutingConfig, protocol: BackendProtocol, id?: string): RoutingConfig {
  return { ...config, backends: new Map([...config.backends].map(([key, backend]) => [key, id === undefined || id === key ? { ...backend, protocol } : backend])) }
}
