// The way to the API server: where it is, who we are, and one shared pool of connections for lists, watches and writes.
// client-node knows kubeconfig files and credentials; it is loaded only when it is needed, since that takes half a second.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici'
import type { KubeConfig } from '@kubernetes/client-node'

export interface Connection {
  /** URL of the API server, for messages. */
  readonly server: string
  /** Where it was found: `kubeconfig /home/me/.kube/config`, `in-cluster`. */
  readonly from: string
  request(call: Call): Promise<Answer>
  close(): Promise<void>
}

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH'
  /** `/apis/networking.k8s.io/v1/ingresses` */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Of the body; default application/json. */
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Longest wait for the answer's head, milliseconds. */
  readonly headTimeout?: number
  /** Longest silence inside the answer's body, milliseconds; 0: for ever. */
  readonly bodyTimeout?: number
}

export interface Answer {
  readonly status: number
  /** Seconds that the server asks to wait; undefined without Retry-After. */
  readonly retryAfter: number | undefined
  /** Must be read to its end or destroyed. */
  readonly body: Dispatcher.ResponseData['body']
}

/** Who we are, as of now: credentials may rotate, so it is asked for every call. */
interface Identity {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: Readonly<Record<string, unknown>>
  readonly proxy: string | undefined
}

interface Credentials {
  identity(): Promise<Identity>
  /** Reads everything again: the API server no longer knows us. */
  renew(): void
}

/** A server without credentials, such as the sandbox's own API. */
export function connectToUrl(server: string): Connection {
  const identity: Identity = { headers: {}, tls: {}, proxy: undefined }
  return createConnection(server, 'given address', { identity: () => Promise.resolve(identity), renew: () => undefined })
}

export interface ConnectOptions {
  /** Path of a kubeconfig; empty: $KUBECONFIG, else the Pod's service account, else ~/.kube/config. */
  readonly kubeconfig?: string
  /** Context in it; empty: its current one. */
  readonly context?: string
}

/** Rejects with a message for the user when the configuration can't be used; whether the server answers shows later. */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  const { KubeConfig } = await import('@kubernetes/client-node')
  const source = findSource(options)
  const load = (): KubeConfig => loadConfig(new KubeConfig(), source, options.context ?? '')
  let config = load()
  const cluster = config.getCurrentCluster()
  if (cluster === null) throw new Error(`${source.from} names no cluster: give one with --kubeconfig, or set current-context in it`)
  let stale = false
  return createConnection(cluster.server, source.from, {
    async identity() {
      if (stale) config = load()
      stale = false
      return identify(config)
    },
    renew: () => {
      stale = true
    },
  })
}

interface Source {
  readonly from: string
  readonly load: (config: KubeConfig) => void
}

const SERVICE_ACCOUNT_TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount/token'

function findSource({ kubeconfig = '' }: ConnectOptions): Source {
  const fromFile = (file: string): Source => ({ from: `kubeconfig ${file}`, load: (config) => config.loadFromFile(file) })
  if (kubeconfig !== '') return fromFile(kubeconfig)
  const { KUBECONFIG = '', KUBERNETES_SERVICE_HOST = '' } = process.env
  if (KUBECONFIG !== '') return { from: `kubeconfig ${KUBECONFIG}`, load: (config) => config.loadFromDefault() }
  if (KUBERNETES_SERVICE_HOST !== '' && existsSync(SERVICE_ACCOUNT_TOKEN)) return { from: 'in-cluster', load: (config) => config.loadFromCluster() }
  const home = join(homedir(), '.kube', 'config')
  if (existsSync(home)) return fromFile(home)
  throw new Error('no cluster is configured: give a kubeconfig with --kubeconfig or KUBECONFIG, or run in a Pod with a service account')
}

function loadConfig(config: KubeConfig, source: Source, context: string): KubeConfig {
  const wrong = tryLoad(() => source.load(config))
  if (wrong !== undefined) throw new Error(`${source.from} can't be read: ${wrong}; give another one with --kubeconfig`)
  if (context !== '') {
    if (config.getContextObject(context) === null) throw new Error(`${source.from} has no context ${JSON.stringify(context)}; it has ${config.getContexts().map((each) => each.name).join(', ')}`)
    config.setCurrentContext(context)
  }
  // client-node refuses plain HTTP unless TLS is not to be verified, which means nothing there.
  config.clusters = config.getClusters().map((cluster) => (cluster.server.startsWith('http:') ? { ...cluster, skipTLSVerify: true } : cluster))
  return config
}

/** Why it failed. A parser quotes the lines around a mistake, and in this file they hold credentials: only the first line is safe. */
function tryLoad(load: () => void): string | undefined {
  try {
    load()
    return undefined
  } catch (error) {
    return messageOf(error).split('\n')[0]?.slice(0, 200)
  }
}

const TLS_FIELDS = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'rejectUnauthorized', 'servername'] as const

async function identify(config: KubeConfig): Promise<Identity> {
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) if (value !== undefined) headers[name.toLowerCase()] = String(value).trim()
  if (typeof options.auth === 'string') headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  const tls = Object.fromEntries(TLS_FIELDS.flatMap((field) => (options[field] === undefined ? [] : [[field, options[field]]])))
  return { headers, tls, proxy: config.getCurrentCluster()?.proxyUrl }
}

const HEAD_TIMEOUT = 30_000
const BODY_TIMEOUT = 60_000

function createConnection(server: string, from: string, credentials: Credentials): Connection {
  const base = new URL(server)
  const prefix = base.pathname.replace(/\/$/, '')
  let current: { readonly key: string; readonly dispatcher: Dispatcher } | undefined
  let closed = false

  /** One dispatcher for all calls; a new one only when certificates or the proxy have changed. */
  function dispatcherFor(identity: Identity): Dispatcher {
    const key = createHash('sha256').update(JSON.stringify([identity.tls, identity.proxy])).digest('base64')
    if (current?.key === key) return current.dispatcher
    // Calls under way finish on the old one.
    void current?.dispatcher.close()
    current = { key, dispatcher: createDispatcher(identity) }
    return current.dispatcher
  }

  return {
    server,
    from,
    async request({ method, path, query = {}, body, contentType = 'application/json', signal, headTimeout = HEAD_TIMEOUT, bodyTimeout = BODY_TIMEOUT }) {
      const identity = await credentials.identity()
      if (closed) throw new Error('the connection is closed')
      const url = new URL(prefix + path, base)
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      const answer = await request(url, {
        dispatcher: dispatcherFor(identity),
        method,
        headers: { ...identity.headers, accept: 'application/json', 'user-agent': 'narthex', ...(body !== undefined && { 'content-type': contentType }) },
        body: body === undefined ? null : JSON.stringify(body),
        headersTimeout: headTimeout,
        bodyTimeout,
        ...(signal !== undefined && { signal }),
      })
      if (answer.statusCode === 401) credentials.renew()
      const retryAfter = Number(answer.headers['retry-after'])
      return { status: answer.statusCode, retryAfter: Number.isFinite(retryAfter) && retryAfter >= 0 ? retryAfter : undefined, body: answer.body }
    },
    async close() {
      closed = true
      await current?.dispatcher.destroy()
    },
  }
}

function createDispatcher({ tls, proxy }: Identity): Dispatcher {
  // Dead peers are found by TCP in well under the ten minutes that a quiet watch may last.
  const connect = { ...tls, timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 }
  // HTTP/2 would put all watches on one connection that fails as one.
  const options = { allowH2: false, keepAliveTimeout: 30_000, keepAliveMaxTimeout: 60_000 }
  if (proxy === undefined || proxy === '') return new Agent({ ...options, connect })
  if (!/^https?:/.test(proxy)) throw new Error(`the proxy ${proxy} is not supported; only http and https proxies are`)
  return new ProxyAgent({ ...options, uri: proxy, requestTls: tls })
}

/** The text of an error for a log line: of a failed connection its code. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if (error.message === '') return code === '' ? error.name : code
  return code === '' || error.message.includes(code) ? error.message : `${error.message} (${code})`
}
