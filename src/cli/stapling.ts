// --ocsp-stapling: the stapler with the options and the DNS of the controller.
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { Lookup } from '../dns/lookup.ts'
import type { Certificate } from '../model/routing.ts'
import type { Staples } from '../model/staple.ts'
import { fetchResponse } from '../ocsp/fetch.ts'
import { createStapler } from '../ocsp/stapler.ts'

export interface Stapling {
  want(certificates: ReadonlyMap<string, Certificate>, isOn: boolean): void
  staples(): Staples
  settled(): Promise<void>
  close(): void
}

const NONE: ReadonlyMap<string, Certificate> = new Map()

export function startStapling(config: Config, lookup: Lookup, log: Log, onChange: () => void): Stapling {
  const options = { resolve: async (name: string) => (await lookup(name)).addresses, allowPrivate: config.allowPrivateOcspResponders, timeout: config.ocspTimeout }
  const stapler = createStapler({ fetch: (url, request) => fetchResponse(url, request, options), clock: systemClock, random: Math.random, log, onChange })
  return { ...stapler, want: (certificates, isOn) => stapler.want(isOn ? certificates : NONE) }
}
