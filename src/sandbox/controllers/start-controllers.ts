// Starts every controller of the sandbox over one registry. The kubelet is not among them: it owns sockets (../pods).
import type { Clock } from '../../base/clock.ts'
import type { Registry } from '../api-server/registry.ts'
import type { ControllerContext, Running } from './controller.ts'
import { runDeploymentController } from './deployment.ts'
import { runEndpointsController } from './endpoints.ts'
import { runEndpointSliceController } from './endpointslice.ts'
import { runEndpointSliceMirroringController } from './endpointslice-mirroring.ts'
import { runEventExpiry } from './event-expiry.ts'
import { createEventRecorder } from './event-recorder.ts'
import { runLoadBalancerController } from './load-balancer.ts'
import { runNamespaceController } from './namespace.ts'
import { runReplicaSetController } from './replicaset.ts'
import { runScheduler } from './scheduler.ts'
import { runServiceAccountController } from './service-account.ts'

export interface ControllersOptions {
  readonly registry: Registry
  readonly clock: Clock
  readonly log: (line: string) => void
  /** Where the search for a load balancer's address begins: two sandboxes of a machine begin at different ones. */
  readonly firstBalancer?: number
  /** Plurals of all namespaced kinds: what a namespace's deletion has to empty. */
  readonly namespacedResources: readonly string[]
}

export function startControllers({ registry, clock, log, firstBalancer, namespacedResources }: ControllersOptions): Running {
  const context: ControllerContext = { registry, clock, log, events: createEventRecorder(registry, clock) }
  const running = [
    runServiceAccountController(context),
    runNamespaceController(context, namespacedResources),
    runDeploymentController(context),
    runReplicaSetController(context),
    runScheduler(context),
    // Slices before the old Endpoints: the data plane reads the former.
    runEndpointSliceController(context),
    runEndpointsController(context),
    runEndpointSliceMirroringController(context),
    runLoadBalancerController(context, firstBalancer),
    runEventExpiry(context),
  ]
  return {
    close() {
      for (const controller of running) controller.close()
    },
  }
}
