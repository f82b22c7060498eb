// The command line as scripts rely on it: help, mistakes, exit statuses, signals, any Node on the PATH.
import { createServer } from 'node:net'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runNarthex, startNarthex } from '../support/narthex.ts'

const folder = mkdtempSync(join(tmpdir(), 'narthex-command-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('narthex', () => {
  it('says what it can do', async () => {
    const { code, stdout } = await runNarthex(['--help'])
    expect(code).toBe(0)
    for (const command of ['run', 'sandbox', 'sandbox services', 'check', 'routes', 'explain']) expect(stdout).toMatch(new RegExp(`^  ${command} `, 'm'))
  })

  it.each(['run', 'sandbox', 'sandbox services', 'check', 'routes', 'explain'])('%s --help has examples', async (command) => {
    const { code, stdout } = await runNarthex([...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Examples:\n  narthex ${command}`)
  })

  it('prints its version', async () => {
    expect((await runNarthex(['--version'])).stdout).toMatch(/^narthex \d+\.\d+\.\d+\n$/)
  })

  it.each([
    [['serve'], 'narthex: unknown command "serve"; commands are run, sandbox, sandbox services, check, routes, explain; see narthex --help\n'],
    [['sandbox', '--htttp-port=1'], 'narthex sandbox: unknown option --htttp-port (did you mean --http-port?); see narthex sandbox --help\n'],
    [['run', '--threads=none'], 'narthex run: --threads wants a whole number of at least 1, got "none"\n'],
  ])('answers %j with one line and exit status 2', async (args, line) => {
    expect(await runNarthex(args)).toEqual({ code: 2, stdout: '', stderr: line })
  })

  it('hands over from the Node on the PATH to the one that it brings', async () => {
    const system = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => existsSync(path)) ?? process.execPath
    expect(await runNarthex(['--version'], { node: system, entry: 'bin/narthex.js' })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^narthex /) })
  })

  it('names the port that is taken, and the option to change it', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    try {
      for (const [flag, others] of [['--http-port', ['--https-port=0', '--admin-port=0', '--api-port=0']], ['--admin-port', ['--http-port=0', '--https-port=0', '--api-port=0']], ['--api-port', ['--http-port=0', '--https-port=0', '--admin-port=0']]] as const) {
        const { code, stderr } = await runNarthex(['sandbox', `${flag}=${port}`, ...others, `--kubeconfig-out=${join(folder, 'kubeconfig')}`])
        expect(code).toBe(1)
        expect(stderr).toContain(`port ${port} on 127.0.0.1 is in use; choose another with ${flag}`)
      }
    } finally {
      taken.close()
    }
  })

  it('is ready in under 3 seconds and says so on standard error (printed)', async () => {
    const narthex = await startNarthex(['sandbox', '--apply', 'examples/'])
    process.stdout.write(`sandbox with the examples ready after ${narthex.readyAfter.toFixed(0)} ms\n`)
    const ready = await fetch(`http://127.0.0.1:${narthex.ports['admin']}/readyz`)
    expect(ready.status).toBe(200)
    expect(narthex.stdout()).toContain('export KUBECONFIG=')
    expect(await narthex.stop('SIGINT')).toBe(0)
  })
})
