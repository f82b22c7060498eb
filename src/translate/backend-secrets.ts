// Step: the Secrets that Ingresses name for TLS towards their backends: who vouches for these, and the certificate that is shown to them.
import { createSecureContext } from 'node:tls'
import { reuse } from '../base/reuse.ts'
import type { Secret } from '../kube/objects.ts'
import type { BackendTls } from '../model/backend-protocol.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { formatRef } from '../model/object-ref.ts'
import type { ClientCa } from '../model/policy.ts'
import type { AskedTls } from './annotations/read-protocol.ts'
import { readAuthority } from './authority.ts'
import type { Draft, IngressDraft, View } from './draft.ts'
import { readKeyPair } from './key-pair.ts'
import { remember, sameMap } from './memory.ts'
import { error, quote, warning } from './report.ts'

export interface BackendSecret {
  readonly ca?: ClientCa
  readonly certificate?: NonNullable<BackendTls['certificate']>
}

export function backendSecrets(view: View, draft: Draft): void {
  const { secrets } = view.state
  const { bySecret, diagnostics } = remember(view.memo.backendSecrets, [draft.ingresses, secrets], (before) => {
    const bySecret = new Map<string, BackendSecret>()
    const diagnostics: Diagnostic[] = []
    for (const ingress of draft.ingresses) {
      const tls = ingress.backendTls
      if (tls?.secret === undefined) continue
      const read = readSecretOf(tls, tls.secret, ingress, secrets, diagnostics)
      if (read !== undefined) bySecret.set(tls.secret, reuse(before?.bySecret.get(tls.secret), read))
    }
    return { bySecret: sameMap(before?.bySecret, bySecret), diagnostics: [...diagnostics, ...unchecked(draft.ingresses)] }
  })
  draft.backendSecrets = bySecret
  draft.diagnostics.push(diagnostics)
}

const CLOSED = 'so that nothing is sent unprotected, the paths of this Ingress answer 503'

/** Undefined: it can't be used for what is asked. */
function readSecretOf({ verify, field }: AskedTls, key: string, { object }: IngressDraft, secrets: ReadonlyMap<string, Secret>, diagnostics: Diagnostic[]): BackendSecret | undefined {
  const secret = secrets.get(key)
  if (secret === undefined || secret.meta.deleting) {
    diagnostics.push(
      error('SecretNotFound', object, {
        field,
        message: `There is no Secret ${quote(key)}; ${CLOSED}.`,
        fix: `Create it: kubectl create secret generic ${key.split('/')[1]} -n ${object.namespace} --from-file=ca.crt --from-file=tls.crt --from-file=tls.key`,
      }),
    )
    return undefined
  }
  const read = parsedOf(secret)
  const wrong = verify && read.ca === undefined ? read.caWrong : read.certificateWrong
  if (wrong === undefined) return read
  diagnostics.push(error('CertificateInvalid', object, { field, message: `Secret ${key} can’t be used: ${wrong}; ${CLOSED}.`, fix: 'Store the PEM certificates that vouch for the backend in ca.crt, and the certificate to show to it, if it asks for one, in tls.crt and tls.key.' }))
  return undefined
}

interface Parsed extends BackendSecret {
  readonly caWrong?: string
  readonly certificateWrong?: string
}

const parsed = new WeakMap<Secret, Parsed>()

/** Once for each version of a Secret. */
function parsedOf(secret: Secret): Parsed {
  let read = parsed.get(secret)
  if (read === undefined) {
    read = { ...readCa(secret), ...readCertificate(secret) }
    parsed.set(secret, read)
  }
  return read
}

function readCa(secret: Secret): Pick<Parsed, 'ca' | 'caWrong'> {
  const ca = readAuthority(secret)
  return typeof ca === 'string' ? { caWrong: ca } : { ca }
}

/** None is as good as one that can be read. */
function readCertificate({ data }: Secret): Pick<Parsed, 'certificate' | 'certificateWrong'> {
  const [certificate, key] = [data['tls.crt'], data['tls.key']]
  if ((certificate ?? '').trim() === '' && (key ?? '').trim() === '') return (data['ca.crt'] ?? '').trim() === '' ? { certificateWrong: 'it has neither ca.crt nor tls.crt and tls.key' } : {}
  const pair = readKeyPair(certificate, key)
  if ('wrong' in pair) return { certificateWrong: pair.wrong }
  const made = { chain: pair.certificate, key: pair.privateKey }
  return isUsable(made) ? { certificate: made } : { certificateWrong: 'OpenSSL does not take its certificate and key together' }
}

/** As the data plane will make it. */
function isUsable({ chain, key }: NonNullable<BackendTls['certificate']>): boolean {
  try {
    createSecureContext({ ca: [], cert: chain, key })
    return true
  } catch {
    return false
  }
}

/** ingress-nginx lets proxy-ssl-* hold for all Ingresses of a host. Here they hold for their own, and others are told. */
function unchecked(ingresses: readonly IngressDraft[]): readonly Diagnostic[] {
  const byHost = new Map<string, IngressDraft>()
  for (const ingress of ingresses) if (ingress.backendTls?.secret !== undefined) for (const { host } of ingress.contributions) if (!byHost.has(host)) byHost.set(host, ingress)
  if (byHost.size === 0) return []
  return ingresses.flatMap((ingress) => {
    if (ingress.backendTls !== undefined || !ingress.speaksTls) return []
    const host = ingress.contributions.map((each) => each.host).find((each) => byHost.has(each))
    const other = host === undefined ? undefined : byHost.get(host)
    if (host === undefined || other === undefined) return []
    return [
      warning('AnnotationInvalid', ingress.object, {
        field: 'metadata.annotations',
        message: `${formatRef(other.object)} says by proxy-ssl-* how the backends of host ${quote(host)} are checked; that holds for its own paths, and those of this Ingress are reached in TLS without a check.`,
        fix: 'Repeat the annotations proxy-ssl-* here.',
      }),
    ]
  })
}
