import { readFileSync } from 'node:fs'
import type { Peer } from '../peer.ts'
import { PROXY_CORE, startPinned } from '../process.ts'

export const fastifyHttpProxy: Peer = {
  name: '@fastify/http-proxy',
  version: () => versionOf('@fastify/http-proxy'),
  start: (work) => startPinned(PROXY_CORE, process.execPath, ['bench/programs/fastify-http-proxy.ts', JSON.stringify(work)]),
}

export function versionOf(packageName: string): string | undefined {
  try {
    return /"version":\s*"([^"]+)"/.exec(readFileSync(`node_modules/${packageName}/package.json`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
