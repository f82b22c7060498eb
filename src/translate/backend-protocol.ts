// What is spoken to a Service port: what its Ingress asks for, else what the port says of itself (appProtocol).
import { createHash } from 'node:crypto'
import type { BackendProtocol, BackendTls } from '../model/backend-protocol.ts'
import { protocolText, type AskedProtocol, type AskedTls, type Speaks } from './annotations/read-protocol.ts'
import type { BackendSecret } from './backend-secrets.ts'

/** Those of the Kubernetes documentation, and the IANA names that other controllers read. */
const BY_APP_PROTOCOL: Readonly<Record<string, Speaks>> = {
  'kubernetes.io/h2c': 'GRPC',
  'kubernetes.io/ws': 'HTTP',
  'kubernetes.io/wss': 'HTTPS',
  http: 'HTTP',
  https: 'HTTPS',
  grpc: 'GRPC',
  grpcs: 'GRPCS',
  h2c: 'GRPC',
}

export interface ProtocolChoice {
  /** Undefined: HTTP/1.1 in the clear. */
  readonly protocol: BackendProtocol | undefined
  /** Stands behind the id of the backend: empty where the Ingress asks for nothing else than the port says. */
  readonly suffix: string
}

/** `name`: what certificates are for if nobody says otherwise. `secret`: that of `asked`. Undefined: it can't be had. */
export function chooseProtocol(asked: AskedProtocol | undefined, appProtocol: string | undefined, name: string, secret: BackendSecret | undefined): ProtocolChoice | undefined {
  const own = appProtocol !== undefined && Object.hasOwn(BY_APP_PROTOCOL, appProtocol.toLowerCase()) ? (BY_APP_PROTOCOL[appProtocol.toLowerCase()] ?? 'HTTP') : 'HTTP'
  const speaks = asked?.speaks ?? own
  const tls = asked?.tls
  if (tls?.secret !== undefined && (secret === undefined || (tls.verify && secret.ca === undefined))) return undefined
  const protocol = protocolOf(speaks, speaks === 'HTTP' || speaks === 'GRPC' ? undefined : tlsOf(tls, name, secret))
  const usual = protocolOf(own, own === 'HTTP' || own === 'GRPC' ? undefined : tlsOf(undefined, name, undefined))
  // Of what is asked, not of what the Secret holds: with new certificates the backend stays the one it was.
  const digest = protocol?.tls === undefined || asked?.tls === undefined ? '' : `,tls=${digestOf(protocolText(asked)).slice(0, 16)}`
  return {
    protocol,
    suffix: protocol?.id === usual?.id ? '' : `;backend-protocol=${speaks}${digest}`,
  }
}

function protocolOf(speaks: Speaks, tls: BackendTls | undefined): BackendProtocol | undefined {
  if (speaks === 'HTTP') return undefined
  const version = speaks === 'GRPC' || speaks === 'GRPCS' ? 2 : 1
  const digest = tls === undefined ? '' : digestOf(JSON.stringify(tls))
  return { id: `${speaks}${digest === '' ? '' : ` ${digest}`}`, version, ...(tls !== undefined && { tls }), ...(speaks === 'AUTO_HTTP' && { asClient: true }) }
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

function tlsOf(asked: AskedTls | undefined, name: string, secret: BackendSecret | undefined): BackendTls {
  if (asked === undefined) return { name, sendName: false }
  const { ciphers, versions, verify, depth, sendName } = asked
  return {
    name: asked.name ?? name,
    sendName,
    ...(verify && secret?.ca !== undefined && { verify: { ca: secret.ca, depth } }),
    ...(secret?.certificate !== undefined && { certificate: secret.certificate }),
    ...(ciphers !== undefined && { ciphers }),
    ...(versions !== undefined && { versions }),
  }
}
