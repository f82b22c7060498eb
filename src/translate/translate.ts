// Translation: the cluster's objects in, the routing configuration and what to tell users out. Pure: the same input and
// memo give the same output; what did not change keeps its identity, so its cost follows what changed.
import type { ClusterState } from '../kube/cluster-state.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import { NO_NAMES, type ResolvedNames } from '../model/resolved-name.ts'
import { EMPTY_ROUTING, type RoutingConfig } from '../model/routing.ts'
import { NO_STAPLES, type Staples } from '../model/staple.ts'
import { backendSecrets } from './backend-secrets.ts'
import { backends } from './backends.ts'
import { certificates, nextDate } from './certificates.ts'
import { classes } from './classes.ts'
import { clientTls } from './client-tls.ts'
import type { Draft, Step, TranslateMemo, View } from './draft.ts'
import { endpoints, externalNames } from './endpoints.ts'
import { hosts } from './hosts.ts'
import { emptyMemory, remember } from './memory.ts'
import type { TranslateOptions } from './options.ts'
import { rules } from './rules.ts'
import { streams } from './streams.ts'

export type { TranslateMemo } from './draft.ts'

export interface Translation {
  readonly config: RoutingConfig
  /** The same list while nothing in it has changed; so is `accepted`, and each of its references while its Ingress says the same. */
  readonly diagnostics: readonly Diagnostic[]
  /** The Ingresses that are ours: for status and Sync events. */
  readonly accepted: readonly ObjectRef[]
  /** DNS names that have to be resolved, in their order; the same set while there are no others. */
  readonly externalNames: ReadonlySet<string>
  /** When a certificate in use begins or expires next: translate again then. Milliseconds since the epoch. */
  readonly nextDate: number | undefined
}

/** In this order: each reads what those before it have put into the draft. */
export const STEPS: readonly Step[] = [classes, rules, backendSecrets, backends, streams, endpoints, certificates, clientTls, hosts]

/**
 * `memo` from createMemo(), the same one every time. `now` in milliseconds since the epoch: certificates are judged by it.
 * `names`: what DNS says of `externalNames` of the translation before; `staples`: what is known of the revocation of its certificates.
 * Never throws for anything that a user may have written; a throw is a bug.
 */
export function translate(state: ClusterState, options: TranslateOptions, memo: TranslateMemo, now: number = Date.now(), names: ResolvedNames = NO_NAMES, staples: Staples = NO_STAPLES): Translation {
  const view: View = { state, options, memo, names, staples, now }
  const draft = emptyDraft()
  for (const step of STEPS) step(view, draft)
  const { hosts, backends, certificates, serverNames, streams, defaultBackend, defaultCertificate } = draft
  return {
    config: { hosts, backends, certificates, serverNames, streams, defaultBackend, defaultCertificate },
    diagnostics: remember(memo.diagnostics, draft.diagnostics, () => draft.diagnostics.flat()),
    accepted: draft.refs,
    externalNames: externalNames(memo, draft.targets),
    nextDate: nextDate(memo),
  }
}

export function createMemo(): TranslateMemo {
  return {
    classes: emptyMemory(),
    rules: emptyMemory(),
    ingresses: new Map(),
    unchangedIngresses: new WeakMap(),
    backendSecrets: emptyMemory(),
    backends: emptyMemory(),
    outcomes: new Map(),
    streams: emptyMemory(),
    streamTargets: emptyMemory(),
    endpoints: emptyMemory(),
    externalNames: emptyMemory(),
    endpointTroubles: emptyMemory(),
    endpointInputs: new Map(),
    certificates: emptyMemory(),
    secrets: new Map(),
    clientTls: emptyMemory(),
    hosts: emptyMemory(),
    hostEntries: new Map(),
    diagnostics: emptyMemory(),
  }
}

function emptyDraft(): Draft {
  return {
    ...EMPTY_ROUTING,
    accepted: [],
    ingresses: [],
    refs: [],
    backendSecrets: new Map(),
    resolutions: new Map(),
    targets: new Map(),
    tlsHosts: new Set(),
    hostTls: new Map(),
    diagnostics: [],
  }
}
