// Requests to one host that go on while something changes: what each was answered, by whom, and when it was sent.
import { Agent } from 'node:http'
import { podOf } from './fetch-host.ts'
import type { Sandbox } from './sandbox.ts'

export interface Sample {
  readonly pod: string
  /** By performance.now(). */
  readonly sentAt: number
}

export interface Load {
  /** Of the requests that were answered with 200. */
  readonly samples: readonly Sample[]
  /** The others: status and the beginning of what was said. */
  readonly failures: readonly string[]
  readonly pods: ReadonlySet<string>
}

/** One after the other on each of `lanes` kept connections while `change` runs, and until there were `least` in all. */
export async function underLoad(sandbox: Sandbox, host: string, change: () => Promise<unknown>, { least = 1000, lanes = 4 } = {}): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: lanes })
  const samples: Sample[] = []
  const failures: string[] = []
  const progress = { changing: true }
  const lane = async (): Promise<void> => {
    while (progress.changing || samples.length + failures.length < least) {
      const sentAt = performance.now()
      const answer = await sandbox.ask(host, { agent }).catch((error: Error) => ({ status: 0, headers: {}, body: error.message }))
      if (answer.status === 200) samples.push({ pod: podOf(answer), sentAt })
      else failures.push(`${answer.status} ${answer.body.slice(0, 80)}`)
    }
  }
  const lanesDone = Promise.all(Array.from({ length: lanes }, lane))
  await change().finally(() => (progress.changing = false))
  await lanesDone
  agent.destroy()
  return { samples, failures, pods: new Set(samples.map(({ pod }) => pod)) }
}
