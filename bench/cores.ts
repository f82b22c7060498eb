// Which cores do what, so that the proxy under test has its own.
import { cpus } from 'node:os'

const COUNT = cpus().length

/** The proxy under test has this core to itself. */
export const PROXY_CORE = '0'
/** Of a proxy with two threads. */
export const TWO_PROXY_CORES = '0,1'
/** Load generators, backends and this program share what is left; with two cores, the second one. */
export const LOAD_CORE = COUNT >= 4 ? `2-${COUNT - 1}` : '1'
/** Whether two threads have a core each that nothing else needs. */
export const CORES_FOR_TWO_THREADS = COUNT >= 4
