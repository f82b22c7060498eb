// Which ports of TCP and UDP services can't be had, over all threads: it counts as one trouble until the last thread has the port.
import type { RoutingConfig } from '../model/routing.ts'
import type { DataPlaneThread } from './thread.ts'

export interface StreamTroubles {
  /** `code` of the error, or undefined once the thread has the port. True when `current` has changed. */
  learn(thread: DataPlaneThread, streamId: string, code: string | undefined): boolean
  forget(thread: DataPlaneThread): void
  /** Stream id to the code of the error, of the streams that there are. */
  current(streams: RoutingConfig['streams']): ReadonlyMap<string, string>
}

export function createStreamTroubles(): StreamTroubles {
  const codes = new Map<string, Map<DataPlaneThread, string>>()
  return {
    learn(thread, streamId, code) {
      const ofStream = codes.get(streamId) ?? new Map<DataPlaneThread, string>()
      const before = ofStream.size
      if (code === undefined) ofStream.delete(thread)
      else ofStream.set(thread, code)
      if (ofStream.size === 0) codes.delete(streamId)
      else codes.set(streamId, ofStream)
      return (before === 0) !== (ofStream.size === 0)
    },
    forget(thread) {
      for (const [id, ofStream] of codes) if (ofStream.delete(thread) && ofStream.size === 0) codes.delete(id)
    },
    current(streams) {
      const current = new Map<string, string>()
      for (const [id, ofStream] of codes) {
        const [code] = ofStream.values()
        if (!streams.has(id)) codes.delete(id)
        else if (code !== undefined) current.set(id, code)
      }
      return current
    },
  }
}
