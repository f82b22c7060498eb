// The wire again with sockets as Node hands them out, in case that its handles change some day. In a run of its own, so that its
// environment is nobody else's.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const FILES = ['pipelining', 'request-bodies', 'response-framing', 'streaming', 'tunnels', 'drain', 'malformed-requests']

test('serves the same without what Node does not promise', { timeout: 600_000 }, async () => {
  const files = FILES.map((name) => `test/proxy/${name}.test.ts`)
  const env = { PATH: process.env['PATH'], NARTHEX_PUBLIC_API_ONLY: '1', NO_COLOR: '1' }
  // Ends with an error when any of them fails.
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...files], { env, maxBuffer: 64 * 1024 * 1024 })
  expect(stdout + stderr).toContain(`${FILES.length} passed`)
})
