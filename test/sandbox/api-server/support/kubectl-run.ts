// Runs one recorded kubectl command against a server.
import { spawn } from 'node:child_process'

export interface Run {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Lines of output that a watch is waited for before it is stopped, and the longest wait for any command. */
export interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdin: string
  /** Stop once this many lines came; undefined runs to the end. */
  readonly stopAfterLines: number | undefined
}

const longest = 10_000
/** How long a watch may go on after its last expected line, so that it is on the wire. */
const watchTime = 150

export async function runKubectl(command: string, { env, cwd, stdin, stopAfterLines }: RunOptions): Promise<Run> {
  const [program = 'kubectl', ...words] = command.split(' ')
  const child = spawn(program, words, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const limit = setTimeout(() => child.kill('SIGKILL'), longest)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    if (stopAfterLines !== undefined && stdout.split('\n').length > stopAfterLines) setTimeout(() => child.kill('SIGKILL'), watchTime)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(stdin)
  const exit = await new Promise<number | null>((resolve) => {
    child.on('close', (code) => resolve(code))
  })
  clearTimeout(limit)
  return { exit, stdout, stderr }
}
