// Runs a suite of judge/run.py: one process of Python for all its cases.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export interface Verdict {
  readonly name: string
  /** Empty: passed. */
  readonly problem: string
}

export async function judge(suite: string, port: number, ...options: readonly string[]): Promise<Verdict[]> {
  const { stdout } = await promisify(execFile)('/usr/bin/python3', ['test/http2/judge/run.py', suite, String(port), ...options], {
    maxBuffer: 16 * 1024 * 1024,
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1' },
  })
  const verdicts: unknown = JSON.parse(stdout)
  if (!Array.isArray(verdicts) || !verdicts.every(isVerdict)) throw new Error(`no verdicts: ${stdout}`)
  return verdicts
}

export function isVerdict(value: unknown): value is Verdict {
  return typeof value === 'object' && value !== null && 'name' in value && typeof value.name === 'string' && 'problem' in value && typeof value.problem === 'string'
}
