// What is published and put into the image: the compiled JavaScript, without the sources and without development packages' help.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, fetchHost } from '../support/fetch-host.ts'
import { runNarthex, startNarthex } from '../support/narthex.ts'

const exec = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'narthex-build-'))
const entry = join(folder, 'dist', 'main.js')

beforeAll(async () => {
  await exec(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist')])
  cpSync('package.json', join(folder, 'package.json'))
  cpSync('bin', join(folder, 'bin'), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('the compiled package', () => {
  it('runs its command through bin/', async () => {
    expect(await runNarthex(['--version'], { entry: join(folder, 'bin', 'narthex.js') })).toMatchObject({ code: 0, stdout: expect.stringMatching(/^narthex /) })
  })

  it('serves the examples', async () => {
    const narthex = await startNarthex(['sandbox', '--apply', 'examples/', '--threads=1'], {}, entry)
    try {
      const answer = await eventually(() => fetchHost({ port: narthex.ports['http'] ?? 0, host: 'hello.example.com' }), (each) => each.status === 200)
      expect(answer.body).toMatch(/^web-/)
    } finally {
      expect(await narthex.stop()).toBe(0)
    }
  })
})

describe('Dockerfile', () => {
  it('copies only what is there', () => {
    const copied = [...readFileSync('Dockerfile', 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => (match[1] ?? '').split(' '))
    expect(copied.length).toBeGreaterThan(0)
    expect(copied.filter((path) => !existsSync(path))).toEqual([])
  })

  it('runs as a user without rights, the compiled main', () => {
    const text = readFileSync('Dockerfile', 'utf8')
    expect(text).toMatch(/^USER 1000:1000$/m)
    expect(text).toMatch(/^ENTRYPOINT \["node", "\/app\/dist\/main\.js"\]$/m)
  })
})
