// What is known of single endpoints over all threads, as metrics and pages show it.

export interface EndpointHealthFigure {
  readonly namespace: string
  readonly service: string
  readonly port: string
  /** Endpoint id. */
  readonly endpoint: string
  /** ejected: for its failures; ill: by its health check; slow-start: it came back and gets less than its share. */
  readonly state: 'ejected' | 'ill' | 'slow-start'
}

/** Since the start. */
export interface EjectionCount {
  readonly namespace: string
  readonly service: string
  readonly reason: string
  readonly count: number
}
