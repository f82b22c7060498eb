// What the log says while the API server can't be used: once when it begins, seldom while it lasts, once when it is over.
// All reflectors share one, since they usually fail together.
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { ApiFailure } from './api-failure.ts'
import { messageOf, type Connection } from './connection.ts'
import { rbacRule, type Resource } from './resource.ts'

export interface Trouble {
  failed(resource: Resource, verb: 'list' | 'watch', error: unknown): void
  recovered(resource: Resource): void
}

/** The same trouble is told again after this long, milliseconds. */
const AGAIN = 60_000

export function createTrouble(connection: Connection, log: Log, clock: Clock): Trouble {
  const told = new Map<string, number>()
  /** Trouble by kind, so that its end can be told. */
  const troubled = new Map<string, string>()

  return {
    failed(resource, verb, error) {
      const { topic, message } = describe(connection, resource, verb, error)
      troubled.set(resource.kind, topic)
      const last = told.get(topic)
      const now = clock.now()
      if (last !== undefined && now - last < AGAIN) return
      told.set(topic, now)
      log(last === undefined ? 'error' : 'warn', message, { server: connection.server })
    },
    recovered(resource) {
      const topic = troubled.get(resource.kind)
      if (topic === undefined) return
      troubled.delete(resource.kind)
      if ([...troubled.values()].includes(topic)) return
      told.delete(topic)
      log('info', topic === 'reach' ? `the Kubernetes API server at ${connection.server} answers again` : `${resource.plural} can be read again`)
    },
  }
}

function describe(connection: Connection, resource: Resource, verb: string, error: unknown): { readonly topic: string; readonly message: string } {
  const where = `the Kubernetes API server at ${connection.server} (${connection.from})`
  if (!(error instanceof ApiFailure)) {
    return {
      topic: 'reach',
      message: `can't reach ${where}: ${messageOf(error)}; it is tried again until it answers. Check that it runs, and that --kubeconfig or KUBECONFIG names the right cluster`,
    }
  }
  if (error.status === 401) {
    return { topic: 'credentials', message: `${where} does not accept our credentials: ${error.message}; it is tried again. Check the user of the kubeconfig, or the service account's token` }
  }
  if (error.status === 403) {
    return {
      topic: `forbidden ${resource.kind}`,
      message: `may not ${verb} ${resource.plural}: ${error.message}; it is tried again. Grant it with this rule: ${rbacRule(resource.group, resource.plural, ['list', 'watch'])}`,
    }
  }
  if (error.status === 404) {
    return { topic: `unknown ${resource.kind}`, message: `${where} has no ${resource.plural} of ${resource.group}/${resource.version}: Kubernetes 1.25 or newer is needed, or the URL is not that of an API server` }
  }
  return { topic: `failing ${resource.kind}`, message: `can't ${verb} ${resource.plural} from ${where}: ${error.message}; it is tried again` }
}
