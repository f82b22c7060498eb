// --ocsp-stapling: the stapler with the options and the DNS of the controller.
import { systemClock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/options.ts'
import type { Lookup } from '../dns/lookup.ts'
import type { Certificate } from '../model/routing.ts'
import { NO_STAPLES } from '../model/staple.ts'
import { fetchResponse } from '../ocsp/fetch.ts'
import { createStapler, type Stapler } from '../ocsp/stapler.ts'

const OFF: Stapler = { want: (_certificates: ReadonlyMap<string, Certificate>) => undefined, staples: () => NO_STAPLES, settled: () => Promise.resolve(), close: () => undefined }

export function startStapling(config: Config, lookup: Lookup, log: Log, onChange: () => void): Stapler {
  if (!config.ocspStapling) return OFF
  const options = { resolve: async (name: string) => (await lookup(name)).addresses, allowPrivate: config.allowPrivateOcspResponders, timeout: config.ocspTimeout }
  return createStapler({ fetch: (url, request) => fetchResponse(url, request, options), clock: systemClock, random: Math.random, log, onChange })
}
