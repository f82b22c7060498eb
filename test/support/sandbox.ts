// The sandbox as its user has it: the real command as a process, kubectl against it, and requests to its ingress and its admin server.
import { eventually, fetchHost, podOf, type Answer, type HostRequest } from './fetch-host.ts'
import { kubectlFor, ok, type Kubectl } from './kubectl.ts'
import { startNarthex, type Narthex } from './narthex.ts'

export interface Sandbox extends Narthex {
  /** Whether kubectl succeeds or not. */
  readonly kubectl: Kubectl
  /** kubectl's output; throws with its words where it fails. */
  kube(args: string, stdin?: string): Promise<string>
  apply(yaml: string): Promise<void>
  /** Until all pods of the Deployment are ready. */
  rolledOut(deployment: string, namespace?: string): Promise<void>
  /** A request to the ingress, over a connection of its own unless an agent is given. */
  ask(host: string, request?: Omit<HostRequest, 'port' | 'host'>): Promise<Answer>
  /** The pods that answer so many requests at once, sorted; a failed one counts as a pod, with the first word of its answer. */
  seen(host: string, count?: number, request?: Omit<HostRequest, 'port' | 'host'>): Promise<readonly string[]>
  /** The body that the admin server answers. */
  admin(path: string): Promise<string>
  /** Waits for an Event about an object of that name, in the namespace of kubectl or `namespace`. */
  event(name: string, pattern: RegExp, namespace?: string): Promise<string>
}

/** `args`: those behind `narthex sandbox`. */
export async function startSandbox(...args: readonly string[]): Promise<Sandbox> {
  const narthex = await startNarthex(['sandbox', ...args])
  const kubectl = kubectlFor(narthex.kubeconfig, narthex.home)
  const kube: Sandbox['kube'] = (words, stdin) => ok(kubectl(words, stdin))
  const ask: Sandbox['ask'] = (host, request = {}) => fetchHost({ port: narthex.ports['http'] ?? 0, host, ...request })
  return {
    ...narthex,
    kubectl,
    kube,
    ask,
    apply: async (yaml) => void (await kube('apply -f -', yaml)),
    rolledOut: async (deployment, namespace = 'default') => void (await kube(`rollout status deploy/${deployment} -n ${namespace} --timeout=30s`)),
    seen: async (host, count = 12, request = {}) => [...new Set(await Promise.all(Array.from({ length: count }, async () => podOf(await ask(host, request)))))].sort(),
    admin: async (path) => (await fetch(`http://127.0.0.1:${narthex.ports['admin']}${path}`)).text(),
    event: (name, pattern, namespace = 'default') =>
      eventually(() => kube(`get events -n ${namespace} --field-selector involvedObject.name=${name} -o custom-columns=T:.type,R:.reason,K:.involvedObject.kind,M:.message --no-headers`), (text) => pattern.test(text), { every: 50 }),
  }
}
