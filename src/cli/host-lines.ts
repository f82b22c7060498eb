// Lines for trying virtual hosts by hand: /etc/hosts and curl.

export interface ReachableHost {
  /** `a.example.com`; wildcard hosts and rules without a host are left out of hosts files. */
  readonly name: string
  readonly tls: boolean
  /** A path that some rule takes. */
  readonly path: string
}

export interface Listening {
  /** The address that a client on this machine connects to. */
  readonly address: string
  readonly httpPort: number
  readonly httpsPort: number
}

const MOST_NAMES_A_LINE = 8

/** `127.0.0.1 a.example.com b.example.com`; several lines where there are many names (hosts files limit a line's aliases). */
export function hostsFileLines(address: string, hosts: readonly ReachableHost[]): string[] {
  const names = hosts.map((host) => host.name).filter((name) => !name.includes('*'))
  const lines: string[] = []
  for (let i = 0; i < names.length; i += MOST_NAMES_A_LINE) lines.push(`${address} ${names.slice(i, i + MOST_NAMES_A_LINE).join(' ')}`)
  return lines
}

/** A ready curl line a host; for a wildcard host a name that it takes. */
export function curlLines({ address, httpPort, httpsPort }: Listening, hosts: readonly ReachableHost[], most = Infinity): string[] {
  return hosts.slice(0, most).map(({ name, tls, path }) => {
    const host = name === '*' ? 'any.example.com' : name.replace(/^\*/, 'any')
    const scheme = tls ? 'https' : 'http'
    const port = tls ? httpsPort : httpPort
    const shownPort = port === (tls ? 443 : 80) ? '' : `:${port}`
    const resolved = address.includes(':') ? `[${address}]` : address
    return `curl ${tls ? '-k ' : ''}--resolve ${host}:${port}:${resolved} ${scheme}://${host}${shownPort}${path}`
  })
}
