// nghttp, h2load and curl against the server role: padding, CONTINUATION, small windows, many streams, large bodies.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BODY, startAnswering, type AnsweringServer } from './answering-server.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'narthex-http2-'))
const file = join(folder, 'body')
let server: AnsweringServer
let origin = ''

beforeAll(async () => {
  server = await startAnswering()
  origin = `http://127.0.0.1:${server.port}`
  writeFileSync(file, randomBytes(2_000_000))
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  await server.close()
})

const output = async (command: string, args: readonly string[]): Promise<string> => (await run(command, args, { maxBuffer: 64 * 1024 * 1024 })).stdout

it('nghttp: padding on every frame, CONTINUATION, small windows', async () => {
  const text = await output('nghttp', ['-v', '-b', '200', '--continuation', '-w', '10', '-W', '11', `${origin}/`, `${origin}/large/100000`])
  expect(text).toContain(BODY.trim())
  expect(text.split('[:status: 200]').length + text.split(':status: 200').length).toBeGreaterThan(2)
  expect(text).not.toMatch(/recv RST_STREAM|recv GOAWAY/)
})

it('nghttp: uploads with padding', async () => {
  const text = await output('nghttp', ['-b', '255', '-d', file, `${origin}/echo`])
  expect(text.length).toBeGreaterThan(1_000_000)
})

it.each([
  ['many streams', ['-n5000', '-c20', '-m50']],
  ['more streams than allowed', ['-n2000', '-c2', '-m500']],
  ['windows of one kilobyte', ['-n200', '-c4', '-m10', '-w10', '-W10']],
  ['a table of no bytes', ['-n200', '-c4', '-m10', '--header-table-size=0', '--encoder-header-table-size=0']],
])('h2load: %s', async (name, args) => {
  const path = name.startsWith('windows') ? '/large/50000' : '/'
  expect(await output('h2load', [...args, `${origin}${path}`])).toMatch(/, 0 failed, 0 errored, 0 timeout/)
})

it('h2load: bodies both ways', async () => {
  expect(await output('h2load', ['-n20', '-c4', '-m5', '-d', file, `${origin}/echo`])).toMatch(/20 succeeded, 0 failed/)
})

it('curl: a large body comes back as it went', async () => {
  const back = join(folder, 'back')
  await output('curl', ['-s', '--http2-prior-knowledge', '--data-binary', `@${file}`, '-o', back, `${origin}/echo`])
  expect(readFileSync(back).equals(readFileSync(file))).toBe(true)
})
