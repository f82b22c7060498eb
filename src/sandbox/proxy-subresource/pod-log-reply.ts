// `pods/NAME/log`: what kubectl logs asks for, from a simulated pod's access log.
import { ApiError } from '../api-server/api-error.ts'
import type { Pod } from '../controllers/object-shapes.ts'
import type { LogLine, PodLog } from '../pods/pod-log.ts'

export interface LogQuery {
  readonly container?: string
  readonly follow?: string
  readonly previous?: string
  readonly timestamps?: string
  readonly sinceSeconds?: string
  readonly sinceTime?: string
  readonly tailLines?: string
  readonly limitBytes?: string
}

/** Throws the refusals of a real kubelet; answers nothing when there is something to print. */
export function checkLogQuery(pod: Pod, query: LogQuery): void {
  const { name } = pod.metadata
  const containers = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((container) => container.name)
  const bad = (message: string): ApiError => new ApiError(400, 'BadRequest', message, {})
  const container = query.container ?? (containers.length === 1 ? containers[0] : undefined)
  if (container === undefined) throw bad(`a container name must be specified for pod ${name}, choose one of: [${containers.join(' ')}]`)
  if (!containers.includes(container)) throw bad(`container ${container} is not valid for pod ${name}`)
  if (isTrue(query.previous)) throw bad(`previous terminated container "${container}" in pod "${name}" not found`)
  if (pod.status?.phase !== 'Running') throw bad(`container "${container}" in pod "${name}" is waiting to start: ContainerCreating`)
  for (const field of ['sinceSeconds', 'tailLines', 'limitBytes'] as const) {
    const value = query[field]
    if (value !== undefined && !/^\d{1,15}$/.test(value)) throw bad(`${field} must be a whole number, not ${JSON.stringify(value)}`)
  }
}

/** The lines that are there already, as text. */
export function printedLog(log: PodLog, query: LogQuery, now: number): string {
  const since = Math.max(query.sinceSeconds === undefined ? 0 : now - Number(query.sinceSeconds) * 1000, Date.parse(query.sinceTime ?? '') || 0)
  const lines = log.lines().filter(({ at }) => at >= since)
  const tail = query.tailLines === undefined ? lines : lines.slice(lines.length - Math.min(lines.length, Number(query.tailLines)))
  const text = tail.map((line) => printed(line, query)).join('')
  return query.limitBytes === undefined ? text : Buffer.from(text).subarray(0, Number(query.limitBytes)).toString()
}

export function printed({ at, text }: LogLine, query: LogQuery): string {
  return isTrue(query.timestamps) ? `${new Date(at).toISOString().replace('Z', '000000Z')} ${text}\n` : `${text}\n`
}

export function isTrue(value: string | undefined): boolean {
  return value === 'true' || value === '1'
}
