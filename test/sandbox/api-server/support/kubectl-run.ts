// Runs one recorded kubectl command against a server.
import { spawn } from 'node:child_process'

export interface Run {
  readonly exit: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly stdin: string
  /** Looked at while the command runs; true stops it. A watch never ends by itself. */
  readonly isDone?: (stdout: string) => boolean
}

/** The longest wait for any command. */
const longest = 10_000
const pollInterval = 20

export async function runKubectl(command: string, { env, cwd, stdin, isDone }: RunOptions): Promise<Run> {
  const [program = 'kubectl', ...words] = command.split(' ')
  const child = spawn(program, words, { env, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const poll = setInterval(() => {
    if (isDone?.(stdout) === true) child.kill('SIGKILL')
  }, pollInterval)
  const limit = setTimeout(() => child.kill('SIGKILL'), longest)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
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
  clearInterval(poll)
  return { exit, stdout, stderr }
}
