// Timeouts, retries, bodies, buffers and rate limits.
import { ignored, ignoredSwitch, retry, timeout, type AnnotationSpec } from './spec.ts'

export const TRAFFIC: readonly AnnotationSpec[] = [
  timeout('proxy-connect-timeout'),
  timeout('proxy-send-timeout'),
  timeout('proxy-read-timeout'),
  retry('proxy-next-upstream'),
  retry('proxy-next-upstream-timeout'),
  retry('proxy-next-upstream-tries'),
  ignored('proxy-body-size', 'a body size limit of its own', ['1m']),
  ignored('client-body-buffer-size', 'a request buffer size'),
  // Bodies are streamed in both directions, so these ask for what happens anyway.
  ignored('proxy-request-buffering', 'buffered request bodies', ['off']),
  ignored('proxy-buffering', 'buffered response bodies', ['off']),
  ignored('proxy-buffers-number', 'a number of response buffers'),
  ignored('proxy-buffer-size', 'a response head size'),
  ignored('proxy-busy-buffers-size', 'a size of busy buffers'),
  ignored('proxy-max-temp-file-size', 'a size of temporary files', ['0']),
  ignored('limit-rps', 'a limit of requests per second'),
  ignored('limit-rpm', 'a limit of requests per minute'),
  ignored('limit-connections', 'a limit of connections'),
  ignored('limit-burst-multiplier', 'a burst of the request limit'),
  ignored('limit-rate', 'a limit of bytes per second', ['0']),
  ignored('limit-rate-after', 'a start of the byte limit', ['0']),
  ignored('limit-allowlist', 'exceptions from request limits'),
  ignored('limit-whitelist', 'exceptions from request limits'),
  ignored('mirror-target', 'a copy of requests to another backend'),
  ignored('mirror-host', 'a Host field of copied requests'),
  ignored('mirror-request-body', 'bodies in copied requests'),
  ignoredSwitch('http2-push-preload', 'HTTP/2 push'),
]
