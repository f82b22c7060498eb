// Peers that are npm packages: a program of ours each, written as their readme has it.
import { readFileSync } from 'node:fs'
import { PROXY_CORE } from '../cores.ts'
import type { Peer } from '../peer.ts'
import { startPinned } from '../process.ts'

export const fastifyHttpProxy = npmPeer('@fastify/http-proxy', 'fastify-http-proxy.ts', ['websocket'])
export const httpProxy3 = npmPeer('http-proxy-3', 'http-proxy-3.ts', ['websocket'])

function npmPeer(name: string, program: string, can: Peer['can']): Peer {
  return { name, can, version: () => versionOf(name), start: (work) => startPinned(PROXY_CORE, process.execPath, [`bench/programs/${program}`, JSON.stringify(work)]) }
}

function versionOf(name: string): string | undefined {
  try {
    return /"version":\s*"([^"]+)"/.exec(readFileSync(`node_modules/${name}/package.json`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}
