// GET /sandbox/services on the sandbox's API: the virtual servers and what they count. Text, or JSON by Accept.
import type { FastifyPluginAsync } from 'fastify'
import type { ListedServer } from './kube-proxy.ts'
import { listingJson, listingText } from './listing.ts'

export function servicesListing(list: () => readonly ListedServer[]): FastifyPluginAsync {
  return async (api) => {
    api.get('/sandbox/services', (request, reply) => {
      const asJson = (request.headers.accept ?? '').includes('application/json')
      return asJson ? reply.type('application/json').send(listingJson(list())) : reply.type('text/plain; charset=utf-8').send(listingText(list()))
    })
  }
}
