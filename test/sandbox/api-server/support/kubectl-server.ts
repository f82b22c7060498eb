// An API server with the real kinds, and kubectl against it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKinds } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { writeKubeconfig } from '../../../../src/sandbox/api-server/kubeconfig.ts'
import { startApiServer } from '../../../../src/sandbox/api-server/start.ts'
import type { ApiServer, ApiServerOptions } from '../../../../src/sandbox/api-server/start.ts'
import { runKubectl } from './kubectl-run.ts'
import type { Run } from './kubectl-run.ts'

export interface KubectlServer {
  readonly server: ApiServer
  kubectl(words: string, stdin?: unknown): Promise<Run>
  close(): Promise<void>
}

/** Words are split at blanks; an object as stdin is sent as JSON. */
export async function startKubectlServer(options: Partial<ApiServerOptions> = {}): Promise<KubectlServer> {
  const directory = await mkdtemp(join(tmpdir(), 'narthex-kubectl-'))
  const server = await startApiServer({
    port: 0, address: '127.0.0.1', kinds: createKinds(),
    log: (line) => {
      throw new Error(line)
    },
    ...options,
  })
  const kubeconfig = join(directory, 'kubeconfig')
  await writeKubeconfig(kubeconfig, server.url)
  const env = { PATH: process.env['PATH'], HOME: directory, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(directory, 'cache') }
  return {
    server,
    kubectl: async (words, stdin) => runKubectl(`kubectl ${words}`, { env, cwd: directory, stdin: stdin === undefined ? '' : typeof stdin === 'string' ? stdin : JSON.stringify(stdin) }),
    async close() {
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
