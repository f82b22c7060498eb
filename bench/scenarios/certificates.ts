// What many certificates cost: at the start, in memory, and the first who asks for one.
import { PROXY_CORE } from '../cores.ts'
import { runPinned } from '../process.ts'
import type { CertificateFigures } from '../programs/certificates.ts'
import type { Sample, Scenario } from '../scenario.ts'

const COUNT = 10_000
/** Most that a thread keeps loaded, by default. */
const MOST_LOADED = 1024

async function figures(kind: 'tls' | 'plain'): Promise<CertificateFigures> {
  const args = ['--expose-gc', 'bench/programs/certificates.ts', String(COUNT), kind]
  return JSON.parse(await runPinned(PROXY_CORE, process.execPath, args, 120)) as CertificateFigures
}

async function measure(): Promise<Sample> {
  const [plain, tls] = [await figures('plain'), await figures('tls')]
  return {
    translated: tls.translateMs - plain.translateMs,
    applied: tls.applyMs - plain.applyMs,
    unasked: ((tls.heapMiB - plain.heapMiB) * 1024) / COUNT,
    loaded: ((tls.loadedMiB - plain.loadedMiB) * 1024) / MOST_LOADED,
    first: tls.firstMs,
    next: tls.nextMs,
    more: tls.firstMs - tls.nextMs,
  }
}

export const CERTIFICATES: Scenario = {
  name: 'certificates',
  title: `${COUNT.toLocaleString('en')} certificates`,
  how: `${COUNT.toLocaleString('en')} Ingresses with a TLS Secret each (ECDSA P-256), beside as many without: what the start takes longer, and memory of each; medians of the first and the next handshake of 300 hosts.`,
  columns: [
    { title: 'ms more to translate', figure: 'translated', digits: 0 },
    { title: 'ms more until served', figure: 'applied', digits: 0 },
    { title: 'KiB each, main thread', figure: 'unasked', digits: 1 },
    { title: 'KiB each that is in use', figure: 'loaded', digits: 0 },
    { title: 'first handshake, ms', figure: 'first', digits: 2 },
    { title: 'next, ms', figure: 'next', digits: 2 },
  ],
  goals: [{ contender: 'narthex', figure: 'more', most: 5, unit: 'ms more for the first handshake of a host', digits: 2 }],
  contenders: () => [{ name: 'narthex', once: true, measure }],
  lasts: () => 16,
}
