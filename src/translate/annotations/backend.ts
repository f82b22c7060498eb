// The protocol towards the backend, and TLS in it.
import { balancing, ignored, protocol, type AnnotationSpec } from './spec.ts'

export const BACKEND: readonly AnnotationSpec[] = [
  protocol('backend-protocol'),
  protocol('proxy-ssl-secret'),
  protocol('proxy-ssl-verify'),
  protocol('proxy-ssl-verify-depth'),
  protocol('proxy-ssl-name'),
  protocol('proxy-ssl-server-name'),
  protocol('proxy-ssl-ciphers'),
  protocol('proxy-ssl-protocols'),
  ignored('proxy-http-version', 'another HTTP version towards the backend', ['1.1']),
  ignored('connection-proxy-header', 'a Connection field towards the backend', ['keep-alive']),
  balancing('service-upstream'),
]
