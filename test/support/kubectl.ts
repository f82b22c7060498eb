// Real kubectl against a kubeconfig, with a discovery cache of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Exit } from './narthex.ts'

export type Kubectl = (args: string, stdin?: string) => Promise<Exit>

/** `args` is split at blanks. The answer's `code` is not checked: `ok` does that. */
export function kubectlFor(kubeconfig: string, home: string): Kubectl {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HOME: home, KUBECACHEDIR: join(home, 'cache') }
  return async (args, stdin) => {
    const child = spawn('kubectl', args.split(' ').filter((word) => word !== ''), { env, stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.stdin.end(stdin ?? '')
    await once(child, 'close')
    return { code: child.exitCode, stdout, stderr }
  }
}

/** Throws with kubectl's own words unless it succeeded; answers standard output. */
export async function ok(exit: Promise<Exit>): Promise<string> {
  const { code, stdout, stderr } = await exit
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}${stdout}`)
  return stdout
}
