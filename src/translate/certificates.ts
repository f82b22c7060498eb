// Step 5: TLS entries and their Secrets: which certificate each server name presents. The oldest Ingress with an entry for a name has it.
import type { Secret } from '../kube/objects.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { ObjectRef } from '../model/object-ref.ts'
import type { Certificate, ServerName } from '../model/routing.ts'
import type { Draft, IngressDraft, TranslateMemo, View } from './draft.ts'
import { ANY_HOST, parseHost, wildcardOf } from './host-name.ts'
import { remember, reuseEntries, sameMap } from './memory.ts'
import { error, quote, warning } from './report.ts'
import { readSecret, unreadSecret, type SecretMemory } from './secret-memory.ts'
import { stapleTroubles, withStaple } from './staples.ts'

const NEVER = Number.POSITIVE_INFINITY
/** Secrets that one translation looks into for the first time (a tenth of a millisecond each): the start must not wait for thousands. */
export const MOST_READ_AT_ONCE = 1000

export function certificates(view: View, draft: Draft): void {
  const { secrets } = view.state
  const memory = view.memo.certificates
  // Dates are judged against the clock, so a result also ends when a certificate in it begins or expires.
  const epoch = memory.last !== undefined && view.now < memory.last.output.validUntil ? memory.last.inputs[3] : view.now
  const output = remember(memory, [draft.ingresses, secrets, view.options, epoch, view.staples], (before) => {
    const collected = collect(view, draft.ingresses)
    return {
      certificates: sameMap(before?.certificates, collected.certificates),
      serverNames: reuseEntries(before?.serverNames, collected.serverNames),
      tlsHosts: sameSet(before?.tlsHosts, collected.tlsHosts),
      defaultCertificate: collected.defaultCertificate,
      diagnostics: collected.diagnostics,
      validUntil: collected.validUntil,
    }
  })
  const { certificates, serverNames, tlsHosts, defaultCertificate } = output
  Object.assign(draft, { certificates, serverNames, tlsHosts, defaultCertificate })
  draft.diagnostics.push(output.diagnostics)
}

interface Collection {
  readonly view: View
  readonly certificates: Map<string, Certificate>
  readonly serverNames: Map<string, ServerName>
  /** Server name to the Ingress that has it. */
  readonly owners: Map<string, IngressDraft>
  readonly tlsHosts: Set<string>
  readonly diagnostics: Diagnostic[]
  readonly used: Set<string>
  validUntil: number
  /** Secrets that were looked into for the first time. */
  read: number
  defaultCertificate: string | undefined
}

function collect(view: View, ingresses: readonly IngressDraft[]): Collection {
  const into: Collection = {
    view, certificates: new Map(), serverNames: new Map(), owners: new Map(), tlsHosts: new Set(), diagnostics: [], used: new Set(),
    validUntil: NEVER, read: 0, defaultCertificate: undefined,
  }
  const late: (() => void)[] = []
  for (const ingress of ingresses) if (ingress.tls.length > 0) collectIngress(into, ingress, late)
  // Names that only the certificate itself tells come after all names that someone has written down.
  for (const claim of late) claim()
  collectDefault(into)
  for (const key of view.memo.secrets.keys()) if (!into.used.has(key)) view.memo.secrets.delete(key)
  return into
}

function collectIngress(into: Collection, ingress: IngressDraft, late: (() => void)[]): void {
  const ruleHosts = ingress.contributions.map((contribution) => contribution.host)
  const listed = new Set<string>()
  const areListed = ruleHosts.every((host) => ingress.tls.some(({ hosts }) => hosts.includes(host)))
  const known: SecretMemory[] = []
  ingress.tls.forEach((entry, index) => {
    const field = `spec.tls[${index}]`
    const hosts = entry.hosts.length > 0 ? listedHosts(into, ingress, entry.hosts, field) : ruleHosts
    const secret = entry.secretName === '' ? undefined : load(into, ingress, entry.secretName, field, entry.hosts.length > 0 && areListed)
    if (secret !== undefined) known.push(secret)
    for (const host of hosts) {
      listed.add(host)
      if (host !== ANY_HOST) claim(into, ingress, host, secret)
      else if (secret?.certificate !== undefined) late.push(() => claimOwnNames(into, ingress, secret))
    }
    if (secret !== undefined) checkHosts(into, ingress, hosts, secret, field)
  })
  // As ingress-nginx has it: TLS is on for every host of an Ingress with a TLS section, by a certificate that covers it or the default one.
  for (const host of ruleHosts) {
    if (host === ANY_HOST || listed.has(host) || listed.has(wildcardOf(host) ?? '')) continue
    const covering = known.find((secret) => covers(secret, host))
    const taken = into.owners.get(host)
    claim(into, ingress, host, covering)
    if (covering === undefined && taken === undefined) into.diagnostics.push(unlisted(ingress.object, host))
  }
}

function listedHosts(into: Collection, ingress: IngressDraft, hosts: readonly string[], field: string): readonly string[] {
  return hosts.flatMap((text, index) => {
    const parsed = parseHost(text)
    if ('host' in parsed && text !== '') return [parsed.host]
    into.diagnostics.push(
      error('HostInvalid', ingress.object, {
        field: `${field}.hosts[${index}]`,
        message: `The host ${quote(text)} ${'wrong' in parsed ? parsed.wrong : 'is empty'}; it is left out.`,
        fix: 'Write a DNS name such as "app.example.com", or "*.example.com" for exactly one label in front.',
      }),
    )
    return []
  })
}

/**
 * Gives `host` to the Ingress unless an older one has it. Several Secrets of one Ingress (RSA and ECDSA) stand side by side; so do those
 * of another Ingress of the same namespace for a type of key that is not there yet.
 */
function claim(into: Collection, ingress: IngressDraft, host: string, secret: SecretMemory | undefined): void {
  into.tlsHosts.add(host)
  const owner = into.owners.get(host)
  if (owner !== undefined && owner !== ingress && !addsKeyType(into, owner, ingress, host, secret)) return
  if (owner === undefined) into.owners.set(host, ingress)
  const id = secret?.certificate?.id
  if (id === undefined) return
  const present = into.serverNames.get(host)?.certificates ?? []
  if (!present.includes(id)) into.serverNames.set(host, { certificates: [...present, id] })
}

function addsKeyType({ serverNames, view }: Collection, owner: IngressDraft, ingress: IngressDraft, host: string, secret: SecretMemory | undefined): boolean {
  const present = serverNames.get(host)?.certificates ?? []
  if (owner.namespace !== ingress.namespace || secret?.pair === undefined || present.length === 0) return false
  return present.every((id) => view.memo.secrets.get(id)?.pair?.keyType !== secret.pair?.keyType)
}

function claimOwnNames(into: Collection, ingress: IngressDraft, secret: SecretMemory): void {
  for (const name of secret.certificate?.names ?? []) {
    const parsed = parseHost(name)
    if (!('host' in parsed) || parsed.host === ANY_HOST) continue
    if (into.owners.has(parsed.host)) continue
    into.serverNames.set(parsed.host, { certificates: secret.certificate === undefined ? [] : [secret.certificate.id] })
    into.owners.set(parsed.host, ingress)
  }
}

/** `mayWait`: what it is for is known without looking into it. */
function load(into: Collection, ingress: IngressDraft, name: string, field: string, mayWait: boolean): SecretMemory | undefined {
  const key = `${ingress.namespace}/${name}`
  const at = `${field}.secretName`
  const found = recall(into, key, mayWait)
  if (found === undefined) {
    into.diagnostics.push(
      error('SecretNotFound', ingress.object, {
        field: at,
        message: `There is no Secret ${quote(name)} in namespace ${quote(ingress.namespace)}; its hosts get the default certificate.`,
        fix: `Create it: kubectl create secret tls ${name} -n ${ingress.namespace} --cert=tls.crt --key=tls.key`,
      }),
    )
    return undefined
  }
  reportSecret(into, ingress.object, at, key, found)
  return found
}

/** The Secret's certificate, present or last good, or unread until a later translation; also remembers when its dates have to be looked at again. */
function recall(into: Collection, key: string, mayWait: boolean): SecretMemory | undefined {
  const { state, memo, now } = into.view
  const secret: Secret | undefined = state.secrets.get(key)
  if (secret === undefined || secret.meta.deleting) return undefined
  const before = memo.secrets.get(key)
  if (before === undefined && mayWait && into.read >= MOST_READ_AT_ONCE) {
    into.validUntil = now
    const unread = unreadSecret(secret)
    if (unread.certificate !== undefined) into.certificates.set(key, unread.certificate)
    return unread
  }
  if (before === undefined) into.read++
  const found = readSecret(secret, before)
  memo.secrets.set(key, found)
  into.used.add(key)
  if (found.certificate !== undefined) into.certificates.set(key, into.view.options.ocspStapling ? withStaple(found.certificate, into.view.staples) : found.certificate)
  for (const date of [found.pair?.notBefore, found.pair?.notAfter]) {
    if (date !== undefined && date > now && date < into.validUntil) into.validUntil = date
  }
  return found
}

function reportSecret(into: Collection, object: ObjectRef, field: string, key: string, { broken, certificate, pair }: SecretMemory): void {
  const { now } = into.view
  if (broken !== undefined) {
    const instead = certificate === undefined ? 'its hosts get the default certificate' : 'the last good certificate of this Secret stays in use'
    into.diagnostics.push(error('CertificateInvalid', object, { field, message: `Secret ${key} can’t be used: ${broken.wrong}; ${instead}.`, fix: broken.fix }))
  }
  if (certificate !== undefined) into.diagnostics.push(...stapleTroubles(certificate, into.view, object, field))
  if (pair === undefined) return
  if (pair.reordered && broken === undefined) {
    into.diagnostics.push(
      warning('CertificateInvalid', object, {
        field,
        message: `The certificates in Secret ${key} are out of order or do not all belong to the chain; they are served from the leaf upwards.`,
        fix: 'Store the leaf first, then each issuer.',
      }),
    )
  }
  if (now >= pair.notAfter) into.diagnostics.push(warning('CertificateExpired', object, { field, message: `The certificate in Secret ${key} expired at ${iso(pair.notAfter)}; it is still served, and clients refuse it.`, fix: 'Renew it.' }))
  if (now < pair.notBefore) into.diagnostics.push(warning('CertificateNotYetValid', object, { field, message: `The certificate in Secret ${key} is valid from ${iso(pair.notBefore)} on; it is served already, and clients refuse it.`, fix: 'Wait, or check the clock of the machine that issued it.' }))
}

function checkHosts(into: Collection, ingress: IngressDraft, hosts: readonly string[], secret: SecretMemory, field: string): void {
  const missed = hosts.filter((host) => host !== ANY_HOST && secret.pair !== undefined && !covers(secret, host))
  if (missed.length === 0) return
  const shown = missed.slice(0, 5).map(quote).join(', ')
  const names = secret.certificate?.names.slice(0, 5).map(quote).join(', ') ?? ''
  into.diagnostics.push(
    warning('CertificateHostMismatch', ingress.object, {
      field: `${field}.hosts`,
      message: `The certificate in Secret ${secret.secret.meta.namespace}/${secret.secret.meta.name} is for ${names === '' ? 'no name' : names}, not for ${shown}; it is served, and clients refuse it.`,
      fix: 'Issue a certificate whose subject alternative names cover the hosts.',
    }),
  )
}

/** A wildcard host needs the same wildcard in the certificate. */
function covers(secret: SecretMemory, host: string): boolean {
  const names = secret.certificate?.names ?? []
  if (names.includes(host)) return true
  const wildcard = wildcardOf(host)
  return wildcard !== undefined && names.includes(wildcard)
}

function unlisted(object: ObjectRef, host: string): Diagnostic {
  return warning('CertificateHostMismatch', object, {
    field: 'spec.tls',
    message: `The host ${quote(host)} is in no TLS entry and no certificate of this Ingress covers it; it is redirected to https and gets the default certificate.`,
    fix: 'List it in spec.tls[].hosts with a Secret, or move it to an Ingress without spec.tls.',
  })
}

function collectDefault(into: Collection): void {
  const key = into.view.options.defaultSslCertificate
  if (key === undefined) return
  const [namespace = '', name = ''] = key.split('/')
  const object: ObjectRef = { kind: 'Secret', apiVersion: 'v1', namespace, name }
  const field = '--default-ssl-certificate'
  const found = recall(into, key, false)
  if (found === undefined) into.diagnostics.push(error('SecretNotFound', object, { field, message: `There is no Secret ${quote(key)}; the certificate made at start is used.`, fix: 'Create it or correct the option.' }))
  else {
    reportSecret(into, object, field, key, found)
    into.defaultCertificate = found.certificate?.id
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z')
}

function sameSet(before: ReadonlySet<string> | undefined, after: ReadonlySet<string>): ReadonlySet<string> {
  return before !== undefined && before.size === after.size && before.isSupersetOf(after) ? before : after
}

/** When the next date of a certificate in use is reached, in milliseconds since the epoch; undefined: none lies ahead. */
export function nextDate(memo: TranslateMemo): number | undefined {
  const until = memo.certificates.last?.output.validUntil ?? NEVER
  return until === NEVER ? undefined : until
}
