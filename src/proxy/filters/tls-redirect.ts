// ssl-redirect: plain HTTP is sent to https, as ingress-nginx words it: host without port, the original URI, one `/` at its end cut.
import { withoutPort } from '../../http/http1/host.ts'
import { redirectAnswer } from '../answer.ts'
import type { FilterFactory } from './filter.ts'

export const tlsRedirect: FilterFactory = ({ tlsRedirect: policy }, { publicHttpsPort, noTlsRedirectPaths }) => {
  if (policy === undefined) return undefined
  const port = publicHttpsPort === 443 ? '' : `:${publicHttpsPort}`
  return ({ request, path, origin }) => {
    // Without a host there is nowhere to send an HTTP/1.0 client to.
    if (origin.secure || request.host === '' || noTlsRedirectPaths.some((prefix) => isBelow(path, prefix))) return undefined
    const target = request.target === '*' ? '' : request.target
    const uri = target.endsWith('/') ? target.slice(0, -1) : target
    return redirectAnswer(policy.status, `https://${withoutPort(request.host)}${port}${uri}`)
  }
}

/** As an nginx location: text, not path elements; the normalised path, so that no escape leads out of it. */
function isBelow(path: string, prefix: string): boolean {
  return prefix !== '' && path.startsWith(prefix)
}
