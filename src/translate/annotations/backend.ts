// The protocol towards the backend, and TLS in it.
import { balancing, closesPath, ignored, isEmpty, type AnnotationSpec } from './spec.ts'

export const BACKEND: readonly AnnotationSpec[] = [
  // Plain HTTP to a backend that was asked to be spoken to in TLS would send in the clear what must not be.
  closesPath('backend-protocol', 'another protocol than HTTP towards the backend', (value) => ['', 'http', 'auto_http'].includes(value.toLowerCase())),
  closesPath('proxy-ssl-secret', 'TLS towards the backend', isEmpty),
  closesPath('proxy-ssl-verify', 'a check of the backend’s certificate', (value) => value === '' || value === 'off'),
  ignored('proxy-ssl-verify-depth', 'a length of backend certificate chains'),
  ignored('proxy-ssl-name', 'a name in the backend’s certificate'),
  ignored('proxy-ssl-server-name', 'SNI towards the backend', ['off']),
  ignored('proxy-ssl-ciphers', 'ciphers towards the backend'),
  ignored('proxy-ssl-protocols', 'TLS versions towards the backend'),
  ignored('proxy-http-version', 'another HTTP version towards the backend', ['1.1']),
  ignored('connection-proxy-header', 'a Connection field towards the backend', ['keep-alive']),
  balancing('service-upstream'),
]
