// Settings of one HTTP/2 endpoint, for either role: what it announces, how patient it is, and how much nonsense it takes from a peer.
// Times in milliseconds, sizes in bytes.

export interface Http2Settings {
  /** Streams that the peer may have open at once; more are refused (REFUSED_STREAM). nginx: 128. */
  readonly concurrentStreams: number
  /** A field section, counted as in RFC 7541 section 4.1 (32 bytes a field added). Larger: `oversized`. nginx: 32 KiB. */
  readonly headerListBytes: number
  /** Dynamic table that the peer's encoder may use. RFC: 4096. */
  readonly headerTableBytes: number
  /** Largest frame payload that the peer may send, 2^14 to 2^24-1. RFC: 2^14. */
  readonly frameBytes: number
  /** Body bytes that a stream may have on its way to us, or waiting here while its reader is paused. */
  readonly streamWindow: number
  /** Likewise for all streams of a connection together; at least 65,535. */
  readonly connectionWindow: number
  /** Server: requests may be extended CONNECT (RFC 8441). */
  readonly connectProtocol: boolean
  /** For the peer's preface and its SETTINGS, and for the acknowledgement of ours. */
  readonly settingsTimeout: number
  /** For the rest of a header block that has begun. */
  readonly headTimeout: number
  /** A PING after so long without a byte from the peer while streams are open; 0: none. */
  readonly pingInterval: number
  /** For its acknowledgement; then the connection is closed. */
  readonly pingTimeout: number
  /** Body bytes wait for the peer's window, and it opens none: the stream is reset, or the connection closed if that is what is stalled. */
  readonly stallTimeout: number
  readonly abuse: Http2AbuseLimits
}

/** Beyond any of these the peer gets GOAWAY with ENHANCE_YOUR_CALM and its connection is closed. */
export interface Http2AbuseLimits {
  /** Server: streams that the peer resets, or makes us reset, at once … nghttp2: 1000. */
  readonly resetBurst: number
  /** … and a second, in the long run, beside one for each stream that came to its end. nghttp2: 33. */
  readonly resetsPerSecond: number
  /** SETTINGS, PING, empty DATA, unknown and other frames that ask for work and carry none, at once … nghttp2: 1000. */
  readonly controlBurst: number
  /** … and a second, in the long run, beside one for each DATA frame, of either side. */
  readonly controlPerSecond: number
  /** CONTINUATION frames of one header block. nghttp2: 8. */
  readonly continuations: number
  /** PRIORITY frames, for each stream that was opened. envoy: 100. */
  readonly prioritiesPerStream: number
  /** WINDOW_UPDATE frames, for each DATA frame that was sent. envoy: 10. */
  readonly windowUpdatesPerData: number
  /** Replies that the peer does not read. nghttp2 and envoy: 1000. */
  readonly unreadReplies: number
}

export const DEFAULT_HTTP2_SETTINGS: Http2Settings = Object.freeze({
  concurrentStreams: 128,
  headerListBytes: 32 * 1024,
  headerTableBytes: 4096,
  frameBytes: 16 * 1024,
  streamWindow: 256 * 1024,
  connectionWindow: 1024 * 1024,
  connectProtocol: true,
  settingsTimeout: 10_000,
  headTimeout: 60_000,
  pingInterval: 0,
  pingTimeout: 20_000,
  stallTimeout: 60_000,
  abuse: {
    resetBurst: 1000,
    resetsPerSecond: 33,
    controlBurst: 1000,
    controlPerSecond: 100,
    continuations: 16,
    prioritiesPerStream: 100,
    windowUpdatesPerData: 10,
    unreadReplies: 1000,
  },
})
