// A pod's answer as text: first who answered, then the request line by line.
import type { NamePlate } from './pod-answer.ts'

export interface Arrived {
  readonly method: string
  /** Request target with its query. */
  readonly path: string
  readonly httpVersion: string
  /** As on the wire: order, case and repetition kept. */
  readonly headers: readonly (readonly [string, string])[]
  readonly client: string
  /** Length of the body, and its first few KB. */
  readonly bytes: number
  readonly start: string
}

export function textOf(plate: NamePlate, port: number, code: number, arrived: Arrived): string {
  const lines = [
    `${plate.pod} (${plate.address}:${port}) in namespace ${plate.namespace} on node ${plate.node}, image ${plate.image}${code === 200 ? '' : `, answers ${code}`}`,
    '',
    `${arrived.method} ${arrived.path} HTTP/${arrived.httpVersion}`,
    ...arrived.headers.map(([name, value]) => `${name}: ${value}`),
    '',
  ]
  if (arrived.bytes > 0) lines.push(`body: ${arrived.bytes} bytes`, arrived.start, '')
  return lines.join('\n')
}
