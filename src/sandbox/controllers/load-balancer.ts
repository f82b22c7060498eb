// Services of type LoadBalancer → status.loadBalancer.ingress: an address of its own on loopback, kept while the type lasts.
import { keyOfObject, runController, splitKey, type ControllerContext, type Running } from './controller.ts'
import type { Service } from './object-shapes.ts'

const NAME = 'service-controller'
const MANAGER = { fieldManager: 'cloud-controller-manager', subresource: 'status' } as const
/** 127.20.0.1 … 127.20.255.254. */
const FIRST = 1
const LAST = 0xffff - 1

/** `first`: a number that says where the search for a free address begins. */
export function runLoadBalancerController(context: ControllerContext, first = 0): Running {
  const { registry, events } = context
  // Far apart for neighbours: API ports that the system chose are.
  let next = FIRST + ((first * 251) % LAST)

  const reconcile = (key: string): void => {
    const { namespace, name } = splitKey(key)
    const service = registry.get('services', namespace, name) as Service | undefined
    if (!service || service.metadata.deletionTimestamp !== undefined) return
    const current = service.status?.loadBalancer?.ingress ?? []
    // A class names another implementation: its addresses are not ours to write.
    const wanted = service.spec.type === 'LoadBalancer' && service.spec.loadBalancerClass === undefined
    if (!wanted) {
      if (current.length > 0 && service.spec.type !== 'LoadBalancer') write(service, undefined)
      return
    }
    const asked = service.spec.loadBalancerIP
    const taken = new Set(registry.list('services').filter((other) => other !== service).flatMap((other) => addressesOf(other as Service)))
    const granted = asked !== undefined && isLoopback(asked) && !taken.has(asked)
    if (current.length > 0 && (!granted || current[0]?.ip === asked)) return
    const ip = granted ? asked : free(taken)
    if (asked !== undefined && !granted) {
      events.record(service, NAME, 'Warning', 'LoadBalancerIPNotUsed', `loadBalancerIP ${asked} is taken or not an address of this machine's loopback (127.0.0.0/8); using ${ip}`)
    }
    events.record(service, NAME, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer')
    write(service, ip)
    events.record(service, NAME, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer')
  }

  const write = (service: Service, ip: string | undefined): void => {
    const loadBalancer = ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] }
    registry.update('services', { ...service, status: { ...service.status, loadBalancer } }, MANAGER)
  }

  const free = (taken: ReadonlySet<string>): string => {
    for (let tried = 0; tried <= LAST; tried++) {
      const ip = `127.20.${next >> 8}.${next & 0xff}`
      next = next >= LAST ? FIRST : next + 1
      if (!taken.has(ip)) return ip
    }
    throw new Error('no load balancer address is free')
  }

  return runController(context, {
    name: NAME,
    sources: [{ resource: 'services', keys: (object) => [keyOfObject(object)] }],
    reconcile,
  })
}

function addressesOf(service: Service): readonly string[] {
  return (service.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
}

function isLoopback(ip: string): boolean {
  return /^127(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(ip)
}
