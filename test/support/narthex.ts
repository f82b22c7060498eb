// Starts the real command as a process of its own and stops it; the ready line tells the ports.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Narthex {
  /** From the ready line: `http`, `https`, `admin`, `api`. */
  readonly ports: Readonly<Record<string, number>>
  readonly kubeconfig: string
  readonly home: string
  readonly pid: number
  /** Milliseconds from the start of the process to its ready line. */
  readonly readyAfter: number
  /** Everything written so far. */
  stdout(): string
  stderr(): string
  /** Sends the signal and answers the exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

export interface Exit {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const NODE = process.execPath

/** Waits for the ready line; throws with the command's output when it ends before. */
export async function startNarthex(args: readonly string[], env: Readonly<Record<string, string>> = {}, entry = 'src/main.ts'): Promise<Narthex> {
  const home = mkdtempSync(join(tmpdir(), 'narthex-test-'))
  const kubeconfig = join(home, 'kubeconfig')
  const sandboxArgs = args[0] === 'sandbox' ? ['--api-port=0', `--kubeconfig-out=${kubeconfig}`] : []
  const listeners = args.includes('--api-only') ? [] : ['--http-port=0', '--https-port=0', '--admin-port=0']
  const started = performance.now()
  const child = spawn(NODE, [entry, ...args, ...sandboxArgs, ...listeners], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  const ports = await new Promise<Record<string, number>>((resolve, reject) => {
    child.stderr?.on('data', () => {
      const line = /^narthex: (.*) ready$/m.exec(output.stderr())
      if (line?.[1] !== undefined) resolve(portsOf(line[1]))
    })
    child.once('exit', (code) => reject(new Error(`narthex ${args.join(' ')} ended with ${code} before it was ready:\n${output.stderr()}${output.stdout()}`)))
  })
  const readyAfter = performance.now() - started
  const exited = once(child, 'exit')
  return {
    ports,
    kubeconfig,
    home,
    pid: child.pid ?? 0,
    readyAfter,
    ...output,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      await exited
      rmSync(home, { recursive: true, force: true })
      return child.exitCode
    },
  }
}

/** Runs a command that ends by itself. */
export async function runNarthex(args: readonly string[], options: { readonly env?: Readonly<Record<string, string>>; readonly node?: string; readonly entry?: string } = {}): Promise<Exit> {
  const child = spawn(options.node ?? NODE, [options.entry ?? 'src/main.ts', ...args], { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = collect(child)
  await once(child, 'close')
  return { code: child.exitCode, stdout: output.stdout(), stderr: output.stderr() }
}

function collect(child: ChildProcess): { stdout(): string; stderr(): string } {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return { stdout: () => stdout, stderr: () => stderr }
}

/** `http=127.0.0.1:40001 https=127.0.0.1:40002` to ports by name. */
function portsOf(text: string): Record<string, number> {
  return Object.fromEntries([...text.matchAll(/(\w+)=\S+:(\d+)/g)].map((match) => [match[1] ?? '', Number(match[2])]))
}
