// What a session announces to its backend and takes from it.
import { DEFAULT_HTTP2_SETTINGS, type Http2AbuseLimits, type Http2Settings } from '../model/http2-settings.ts'
import type { UpstreamContext } from './context.ts'

/** Of one response whose client is slow. */
const STREAM_WINDOW = 128 * 1024
/** Many slow clients share a session with fast ones, who must not wait for them: room for 128 streams that stand still. */
const CONNECTION_WINDOW = 16 * 1024 * 1024

/** gRPC servers measure the way to us by a PING for every batch of data, and reset a stream for every call that fails early. */
const PATIENT: Http2AbuseLimits = { ...DEFAULT_HTTP2_SETTINGS.abuse, controlBurst: 20_000, controlPerSecond: 20_000, resetBurst: 20_000, resetsPerSecond: 20_000, windowUpdatesPerData: 100 }

/** How long a stream may wait to be taken, its request knows. */
export function sessionSettings({ limits, timeouts, pool }: UpstreamContext): Http2Settings {
  return {
    ...DEFAULT_HTTP2_SETTINGS,
    headerListBytes: limits.responseHeadBytes + 32 * limits.headFields,
    streamWindow: STREAM_WINDOW,
    connectionWindow: CONNECTION_WINDOW,
    connectProtocol: false,
    headTimeout: timeouts.read,
    pingInterval: pool.sessionPingInterval,
    stallTimeout: 0,
    abuse: PATIENT,
  }
}
