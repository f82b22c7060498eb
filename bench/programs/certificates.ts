// node --expose-gc bench/programs/certificates.ts COUNT tls|plain: what so many Ingresses cost, with a TLS Secret each or without: time at the
// start, memory, and the first handshake of a host, as JSON.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { once } from 'node:events'
import { silentLog } from '../../src/base/log.ts'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'
import { stateFromObjects } from '../../src/kube/store.ts'
import { DEFAULT_SETTINGS } from '../../src/model/settings.ts'
import { startDataPlane, type DataPlane } from '../../src/runtime/data-plane.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'
import { createMemo, translate } from '../../src/translate/translate.ts'
import { signedCopies } from './signed-copies.ts'
import { median } from '../scenario.ts'

const HANDSHAKES = 300
/** More than a thread keeps loaded. */
const LOADED = 1500

export interface CertificateFigures {
  readonly translateMs: number
  readonly applyMs: number
  readonly heapMiB: number
  readonly firstMs: number
  readonly nextMs: number
  readonly loadedMiB: number
}

const nameOf = (index: number): string => `host-${String(index).padStart(6, '0')}.example.com`

function objects(count: number, withTls: boolean): unknown[] {
  const folder = mkdtempSync(join(tmpdir(), 'narthex-bench-'))
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-nodes', '-days', '9', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', certificate, '-subj', `/CN=${nameOf(0)}`, '-addext', `subjectAltName=DNS:${nameOf(0)}`], { stdio: 'ignore' })
  const [template, keyText] = [readFileSync(certificate, 'utf8'), readFileSync(key, 'utf8')]
  rmSync(folder, { recursive: true })
  const base64 = (text: string): string => Buffer.from(text).toString('base64')
  const names = Array.from({ length: count }, (_, index) => nameOf(index))
  const ingresses = names.map((host, index) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: `web-${index}`, namespace: 'dev', uid: `i-${index}`, resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { ingressClassName: 'narthex', ...(withTls && { tls: [{ hosts: [host], secretName: `tls-${index}` }] }), rules: [{ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] } }] },
  }))
  const secrets = !withTls ? [] : [...signedCopies(template, keyText, nameOf(0), names)].map((pem, index) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: `tls-${index}`, namespace: 'dev', uid: `s-${index}`, resourceVersion: '1' }, type: 'kubernetes.io/tls', data: { 'tls.crt': base64(pem), 'tls.key': base64(keyText) } }))
  return [
    { apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'narthex' }, spec: { controller: DEFAULT_TRANSLATE_OPTIONS.controllerClass } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'dev' }, spec: { ports: [{ port: 80 }] } },
    ...ingresses,
    ...secrets,
  ]
}

async function handshake(plane: DataPlane, host: string): Promise<number> {
  const began = performance.now()
  const socket = connect({ port: plane.ports[0] ?? 0, host: '127.0.0.1', servername: host, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const took = performance.now() - began
  if (socket.getPeerX509Certificate()?.subjectAltName?.includes(host) === false && process.argv[3] === 'tls') throw new Error(`another certificate than that of ${host}`)
  socket.destroy()
  return took
}

function memory(kind: 'rss' | 'heapUsed'): number {
  globalThis.gc?.()
  return process.memoryUsage()[kind] / 1024 ** 2
}

async function run(count: number, withTls: boolean): Promise<CertificateFigures> {
  const state = stateFromObjects(objects(count, withTls))
  const plane = await startDataPlane({ settings: () => DEFAULT_SETTINGS, listeners: [{ port: 0, address: '127.0.0.1', tls: true }], threads: 1, defaultCertificate: await createDefaultCertificate(), log: silentLog })
  const memo = createMemo()
  const before = memory('heapUsed')
  const cpu = process.threadCpuUsage()
  const { config } = translate(state, DEFAULT_TRANSLATE_OPTIONS, memo)
  const used = process.threadCpuUsage(cpu)
  const translated = performance.now()
  await plane.apply(config)
  const applied = performance.now()
  let now = Date.now()
  let later = translate(state, DEFAULT_TRANSLATE_OPTIONS, memo, ++now)
  while ((later.nextDate ?? Infinity) <= now) later = translate(state, DEFAULT_TRANSLATE_OPTIONS, memo, ++now)
  await plane.apply(later.config)
  const after = memory('heapUsed')
  // Both ends warm.
  for (let i = 0; i < 50; i++) await handshake(plane, nameOf(count - 1))
  const first: number[] = []
  const next: number[] = []
  for (let i = 0; i < HANDSHAKES; i++) {
    const host = nameOf(Math.floor((i * count) / HANDSHAKES))
    first.push(await handshake(plane, host))
    next.push(await handshake(plane, host))
  }
  const unloaded = memory('rss')
  for (let i = 0; i < Math.min(count, LOADED); i++) await handshake(plane, nameOf(i))
  const loaded = memory('rss')
  await plane.close()
  return { translateMs: (used.user + used.system) / 1000, applyMs: applied - translated, heapMiB: after - before, firstMs: median(first), nextMs: median(next), loadedMiB: loaded - unloaded }
}

process.stdout.write(JSON.stringify(await run(Number(process.argv[2]), process.argv[3] === 'tls')))
process.exit(0)
