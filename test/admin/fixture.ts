// An admin view over a small configuration, for the tests of the admin server.
import { hostName } from '../../src/http/http1/host.ts'
import { normalisePath } from '../../src/http/http1/path.ts'
import type { AdminView } from '../../src/admin/view.ts'
import type { Diagnostic } from '../../src/model/diagnostic.ts'
import type { Certificate, RoutingConfig } from '../../src/model/routing.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { NO_FIGURES } from '../../src/observe/figures.ts'
import { NO_LOOP_FIGURES } from '../../src/observe/loop-figures.ts'
import { backendOf } from '../runtime/configs.ts'
import { configOf, exact, prefix } from '../table/routes.ts'

const certificate: Certificate = {
  id: 'dev/tls',
  certificate: 'CERTIFICATE TEXT',
  privateKey: 'PRIVATE KEY TEXT',
  names: ['shop.example'],
  notAfter: Date.UTC(2030, 0, 1),
  fingerprint: 'AA:BB:CC:DD:EE:FF:00:11:22:33',
}

export const CONFIG: RoutingConfig = configOf(
  {
    'shop.example': [
      exact('/cart', 'dev/web:80'),
      { ...prefix('/', 'dev/web:80'), policy: { tlsRedirect: { status: 308 } } },
      prefix('/empty', 'dev/empty:80'),
      { ...prefix('/missing'), backend: undefined, status: 503 },
      { ...prefix('/resource'), backend: undefined, status: 404 },
    ],
    '*.example': [prefix('/', 'dev/web:80')],
  },
  {
    backends: new Map([backendOf('web', [8001, 8002]), backendOf('empty')].map((backend) => [backend.id, backend])),
    certificates: new Map([['dev/tls', certificate]]),
    serverNames: new Map([['shop.example', { certificates: ['dev/tls'] }]]),
  },
)

export const DIAGNOSTIC: Diagnostic = {
  severity: 'error',
  reason: 'ServiceNotFound',
  object: { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name: 'web' },
  field: 'spec.rules[0].http.paths[3].backend.service.name',
  message: 'Service <script>alert("x")</script> does not exist: 503.',
  fix: "Create it & don't forget its port.",
}

export function viewOf(overrides: Partial<AdminView> = {}): AdminView {
  return {
    version: '1.2.3',
    notReady: () => undefined,
    isShuttingDown: () => false,
    listeners: () => ({ address: '127.0.0.1', httpPort: 8080, httpsPort: 8443 }),
    config: () => CONFIG,
    diagnostics: () => [DIAGNOSTIC],
    settings: () => ({ ...DEFAULT_SETTINGS, publicHttpsPort: 8443 }),
    dataPlane: () => Promise.resolve({ ...NO_FIGURES, threads: 2, restarts: 0, version: 7 }),
    loop: () => NO_LOOP_FIGURES,
    leads: () => true,
    watchRestarts: () => ({}),
    hostName,
    normalisePath,
    endpointFor: () => undefined,
    ...overrides,
  }
}
