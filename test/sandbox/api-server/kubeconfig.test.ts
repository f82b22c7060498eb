import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { writeKubeconfig } from '../../../src/sandbox/api-server/kubeconfig.ts'

const folder = mkdtempSync(join(tmpdir(), 'narthex-kubeconfig-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('writeKubeconfig', () => {
  it('makes the directory, and a file that only its owner may read and kubectl understands', async () => {
    const path = join(folder, 'a', 'b', 'kubeconfig')
    await writeKubeconfig(path, 'http://127.0.0.1:6443')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(execFileSync('kubectl', ['config', 'view', '--kubeconfig', path, '-o', 'jsonpath={.clusters[0].cluster.server}'], { encoding: 'utf8' })).toBe('http://127.0.0.1:6443')
  })

  it('writes into a pipe and does not replace it', async () => {
    const path = join(folder, 'pipe')
    execFileSync('mkfifo', [path])
    const reader = promisify(execFile)('cat', [path])
    await writeKubeconfig(path, 'http://127.0.0.1:6443')
    expect((await reader).stdout).toContain('http://127.0.0.1:6443')
    expect(statSync(path).isFIFO()).toBe(true)
  })
})
