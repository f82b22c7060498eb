// A health check of our own, as an annotation asks for it: what the prober does to each endpoint of a backend.

export interface Probe {
  /** With a path and query: HTTP, well if the answer is 200 to 399. Without: TCP, well if it takes the connection. */
  readonly path?: string
  /** Milliseconds, as is `timeout`. */
  readonly interval: number
  readonly timeout: number
  /** Good results in a row after which an ill endpoint is well. */
  readonly healthyThreshold: number
  /** Bad ones in a row after which a well one is ill. */
  readonly unhealthyThreshold: number
}

export const DEFAULT_PROBE: Probe = Object.freeze({ interval: 5000, timeout: 2000, healthyThreshold: 2, unhealthyThreshold: 3 })

/** `http:/healthz every 5000 ms within 2000 ms, 2 up 3 down`. Equal ones give equal texts. */
export function probeText({ path, interval, timeout, healthyThreshold, unhealthyThreshold }: Probe): string {
  return `${path === undefined ? 'tcp' : `http:${path}`} every ${interval} ms within ${timeout} ms, ${healthyThreshold} up ${unhealthyThreshold} down`
}
