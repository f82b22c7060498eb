// CORS, response fields, error pages, logs.
import { ignored, ignoredSwitch, type AnnotationSpec } from './spec.ts'

export const RESPONSES: readonly AnnotationSpec[] = [
  ignoredSwitch('enable-cors', 'CORS'),
  ignored('cors-allow-origin', 'CORS origins'),
  ignored('cors-allow-methods', 'CORS methods'),
  ignored('cors-allow-headers', 'CORS header fields'),
  ignored('cors-allow-credentials', 'CORS credentials'),
  ignored('cors-expose-headers', 'CORS exposed fields'),
  ignored('cors-max-age', 'a CORS age'),
  ignored('custom-headers', 'response fields of its own'),
  ignored('proxy-cookie-domain', 'another domain in cookies', ['off']),
  ignored('proxy-cookie-path', 'another path in cookies', ['off']),
  ignored('proxy-redirect-from', 'rewritten Location fields', ['off']),
  ignored('proxy-redirect-to', 'rewritten Location fields', ['off']),
  ignored('custom-http-errors', 'error pages of its own'),
  ignored('default-backend', 'a backend for when there is no endpoint'),
  ignoredSwitch('disable-proxy-intercept-errors', 'error answers of the backend as they are'),
  ignored('enable-access-log', 'access log lines', ['true']),
  ignoredSwitch('enable-rewrite-log', 'a rewrite log'),
  ignoredSwitch('enable-opentelemetry', 'tracing'),
  ignoredSwitch('opentelemetry-trust-incoming-span', 'trust in incoming spans'),
  ignored('opentelemetry-operation-name', 'a span name'),
  ignored('fastcgi-index', 'a FastCGI index'),
  ignored('fastcgi-params-configmap', 'FastCGI parameters'),
]
