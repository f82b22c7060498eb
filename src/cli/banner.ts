// What the sandbox prints when it is ready: what runs where, and what to try.
import { curlLines, hostsFileLines, type ReachableHost } from './host-lines.ts'

export interface BannerFacts {
  /** `narthex`, as it is to be typed here. */
  readonly command: string
  readonly apiUrl: string
  readonly dnsPort: number | undefined
  readonly kubeconfig: string
  readonly address: string
  /** undefined: only the API runs. */
  readonly ports: { readonly http: number; readonly https: number; readonly admin: number } | undefined
  readonly hosts: readonly ReachableHost[]
  readonly applied: readonly string[]
}

const MOST_CURL_LINES = 5

export function sandboxBanner({ command, apiUrl, dnsPort, kubeconfig, address, ports, hosts, applied }: BannerFacts): string {
  const inUrl = address.includes(':') ? `[${address}]` : address
  const lines = ['', 'Narthex sandbox', '', `  Kubernetes API   ${apiUrl}`]
  if (ports !== undefined) {
    lines.push(`  HTTP             http://${inUrl}:${ports.http}`, `  HTTPS            https://${inUrl}:${ports.https}`, `  Dashboard        http://${inUrl}:${ports.admin}/`)
  }
  lines.push(`  Services         ${command} sandbox services --api ${apiUrl}`)
  if (dnsPort !== undefined) lines.push(`  DNS              dig @${address} -p ${dnsPort} kubernetes.default.svc.cluster.local`)
  if (applied.length > 0) lines.push(`  Applied          ${applied.join(', ')} (and again when they change)`)
  lines.push('', 'In another terminal:', '', `  export KUBECONFIG=${kubeconfig}`, '  kubectl get pods,svc,ingress -A')
  if (ports !== undefined && hosts.length > 0) {
    const listening = { address, httpPort: ports.http, httpsPort: ports.https }
    lines.push('', ...curlLines(listening, hosts, MOST_CURL_LINES).map((line) => `  ${line}`))
    const names = hostsFileLines(address, hosts)
    if (names.length > 0) lines.push('', 'For a browser, in /etc/hosts:', '', ...names.map((line) => `  ${line}`))
  } else if (ports !== undefined) lines.push('', `  kubectl apply -f your-ingress.yaml        # then: ${command} routes --admin http://${inUrl}:${ports.admin}`)
  return `${lines.join('\n')}\n\n`
}
