// Step: what each host asks of its handshakes and of its clients' certificates. The oldest Ingress of a host that asks has it, for all
// paths of the host.
import { createHash } from 'node:crypto'
import type { Secret } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef } from '../model/object-ref.ts'
import type { ClientCa, HandshakeTerms } from '../model/policy.ts'
import type { Host } from '../model/routing.ts'
import type { TlsVersions } from '../model/tls.ts'
import type { AskedCertificates } from './annotations/read-client-tls.ts'
import { readAuthority } from './authority.ts'
import type { Draft, IngressDraft, View } from './draft.ts'
import { remember, reuseEntries } from './memory.ts'
import { clientCertificatesInVain, mayPassThrough, needlessSecrets, oldestByHost, passthroughIsOff, type HostPassthrough } from './passthrough.ts'
import { error, quote, warning } from './report.ts'

/** The part of a Host that is decided here. */
export type HostTls = Pick<Host, 'handshake' | 'clientCertificates'> & { readonly passthrough?: HostPassthrough }

export function clientTls(view: View, draft: Draft): void {
  const { secrets } = view.state
  const { hostTls, diagnostics } = remember(view.memo.clientTls, [draft.ingresses, secrets, view.options.sslPassthrough], (before) => {
    const made = decide(draft.ingresses, secrets, view.options.sslPassthrough)
    return { hostTls: reuseEntries(before?.hostTls, made.hostTls), diagnostics: made.diagnostics }
  })
  draft.hostTls = hostTls
  draft.diagnostics.push(diagnostics)
}

interface Choice {
  certificates?: { readonly asked: AskedCertificates; readonly by: IngressDraft }
  ciphers?: string
  preferServerCiphers?: boolean
  versions?: TlsVersions
  http1Only?: true
  passthrough?: HostPassthrough
  /** What is asked for can't be had. */
  isClosed?: boolean
}

function decide(ingresses: readonly IngressDraft[], secrets: ReadonlyMap<string, Secret>, isPassthroughOn: boolean): { readonly hostTls: ReadonlyMap<string, HostTls>; readonly diagnostics: readonly Diagnostic[] } {
  const choices = new Map<string, Choice>()
  const diagnostics: Diagnostic[] = []
  /** By Ingress: undefined is a Secret that can't be used. */
  const authorities = new Map<IngressDraft, ClientCa | undefined>()
  const firstOf = oldestByHost(ingresses)
  for (const ingress of ingresses) {
    const { clientTls: asked } = ingress
    if (asked === undefined) continue
    if (asked.certificates !== undefined) authorities.set(ingress, authorityOf(asked.certificates, ingress, secrets, diagnostics))
    if (asked.passthrough?.isClear === true && !isPassthroughOn) diagnostics.push(passthroughIsOff(asked.passthrough.field, ingress.object))
    for (const { host } of ingress.contributions) {
      const choice = choices.get(host) ?? {}
      choices.set(host, choice)
      if (asked.certificates !== undefined) {
        if (choice.certificates === undefined) choice.certificates = { asked: asked.certificates, by: ingress }
        else diagnostics.push(tooLate(host, asked.certificates, ingress, choice.certificates.by))
      }
      if (asked.ciphers !== undefined) choice.ciphers ??= asked.ciphers
      if (asked.preferServerCiphers !== undefined) choice.preferServerCiphers ??= asked.preferServerCiphers
      if (asked.versions !== undefined) choice.versions ??= asked.versions
      if (asked.http1Only === true) choice.http1Only = true
      if (asked.passthrough !== undefined && mayPassThrough(host, asked.passthrough, ingress, firstOf(host), diagnostics)) {
        choice.passthrough ??= { asked: asked.passthrough, by: ingress.object }
        if (!asked.passthrough.isClear || !isPassthroughOn) choice.isClosed = true
      }
    }
  }
  const passed = new Map([...choices].flatMap(([host, { passthrough, isClosed }]) => (passthrough === undefined || isClosed === true ? [] : [[host, passthrough] as const])))
  for (const host of passed.keys()) {
    const choice = choices.get(host)
    if (choice?.certificates === undefined) continue
    choice.isClosed = true
    diagnostics.push(clientCertificatesInVain(host, choice.certificates.asked.field, choice.certificates.by.object))
  }
  diagnostics.push(...needlessSecrets(ingresses, passed))
  return { hostTls: new Map([...choices].map(([host, choice]) => [host, hostTlsOf(choice, authorities)])), diagnostics }
}

function hostTlsOf({ certificates, ciphers, preferServerCiphers, versions, http1Only, passthrough, isClosed }: Choice, authorities: ReadonlyMap<IngressDraft, ClientCa | undefined>): HostTls {
  if (isClosed === true) return { clientCertificates: 'denied' }
  if (passthrough !== undefined) return { passthrough }
  const ca = certificates === undefined ? undefined : authorities.get(certificates.by)
  if (certificates !== undefined && ca === undefined) return { clientCertificates: 'denied' }
  const asks = ca !== undefined && certificates?.asked.rules.verify !== 'off'
  const terms: Omit<HandshakeTerms, 'id'> = {
    ...(asks && { clientCa: ca }),
    ...(ciphers !== undefined && { ciphers }),
    ...(preferServerCiphers !== undefined && { preferServerCiphers }),
    ...(versions !== undefined && { versions }),
    ...(http1Only === true && { http1Only }),
  }
  return {
    ...(Object.keys(terms).length > 0 && { handshake: { id: createHash('sha256').update(JSON.stringify(terms)).digest('hex'), ...terms } }),
    ...(certificates !== undefined && { clientCertificates: certificates.asked.rules }),
  }
}

const CLOSED = 'so that nobody is let in unchecked, all paths of its hosts answer 403'

function authorityOf({ secret: key, field }: AskedCertificates, { object }: IngressDraft, secrets: ReadonlyMap<string, Secret>, diagnostics: Diagnostic[]): ClientCa | undefined {
  if (key === undefined) return undefined
  const secret = secrets.get(key)
  if (secret === undefined || secret.meta.deleting) {
    diagnostics.push(error('SecretNotFound', object, { field, message: `There is no Secret ${quote(key)}; ${CLOSED}.`, fix: `Create it: kubectl create secret generic ${key.split('/')[1]} -n ${object.namespace} --from-file=ca.crt` }))
    return undefined
  }
  const read = readAuthority(secret)
  if (typeof read !== 'string') return read
  diagnostics.push(error('CertificateInvalid', object, { field, message: `Secret ${key} can’t be used: ${read}; ${CLOSED}.`, fix: 'Store the PEM certificates of the authorities in ca.crt, and their revocation lists, if any, in ca.crl.' }))
  return undefined
}

function tooLate(host: string, { field }: AskedCertificates, loser: IngressDraft, winner: IngressDraft): Diagnostic {
  return warning('AnnotationInvalid', loser.object, {
    field,
    message: `${formatRef(winner.object)}, which is older, says which client certificates host ${quote(host)} takes; this is ignored there.`,
    fix: 'Remove it from one of the two Ingresses.',
  })
}
