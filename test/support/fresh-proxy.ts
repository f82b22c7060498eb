// A scripted backend, a proxy before it and a client of the proxy, anew for each test of a file that calls one of these.
import { afterEach, beforeEach } from 'vitest'
import { RawClient } from './raw-client.ts'
import { ScriptedUpstream, type Script } from './scripted-upstream.ts'
import { startProxy, toUpstream, type SettingsOverrides, type TestProxy } from './test-proxy.ts'

/** Those of the test that runs. */
export let upstream: ScriptedUpstream
export let proxy: TestProxy
export let client: RawClient
let lastClient: RawClient | undefined

/** All three. `script`: what the backend does; it answers 200 if left out. */
export function freshClient(settings: SettingsOverrides = {}, script: Script = {}): void {
  freshUpstream(script)
  beforeEach(() => start(settings))
}

/** No client. */
export function freshProxy(): void {
  freshUpstream()
  beforeEach(async () => {
    proxy = await startProxy(toUpstream(upstream.port))
  })
}

/** The backend alone: each test calls `start` with its own settings. */
export function freshUpstream(script: Script = {}): void {
  beforeEach(async () => {
    upstream = await ScriptedUpstream.start(script)
  })
  afterEach(async () => {
    // Where there is one.
    lastClient?.close()
    lastClient = undefined
    proxy.proxy.close()
    await upstream.stop()
  })
}

export async function start(settings: SettingsOverrides = {}): Promise<void> {
  proxy = await startProxy(toUpstream(upstream.port), settings)
  lastClient = client = await RawClient.connect(proxy.port)
}
