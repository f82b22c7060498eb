// check and routes on files, as the command runs them.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { runNarthex } from '../support/narthex.ts'

const folder = mkdtempSync(join(tmpdir(), 'narthex-offline-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

const SERVICE = 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n'
const ingress = (service: string, annotations = '{}'): string =>
  `apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, annotations: ${annotations}}\nspec: {rules: [{host: a.example.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: ${service}, port: {number: 80}}}}]}}]}\n`

describe('narthex check', () => {
  it('finds nothing wrong with the examples', async () => {
    const { code, stdout } = await runNarthex(['check', 'examples/'])
    expect(code).toBe(0)
    expect(stdout).toContain('0 errors, 0 warnings')
  })

  it('names object, field, what happens instead and the fix, with exit status 1', async () => {
    const { code, stdout } = await runNarthex(['check', file('missing.yaml', `${SERVICE}---\n${ingress('nobody')}`)])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^error: Ingress default\/web: spec\.rules\[0\]\.http\.paths\[0\]\.backend\.service\.name: ServiceNotFound\n {2}.*nobody.*503.*\n {2}Fix: /m)
  })

  it('does not report Services as missing when the files hold none, and says so', async () => {
    const { code, stdout } = await runNarthex(['check', file('alone.yaml', ingress('web'))])
    expect(code).toBe(0)
    expect(stdout).toContain('note: No Service is among the files')
  })

  it('reports an annotation that would protect something and is not honoured as an error', async () => {
    const path = file('auth.yaml', `${SERVICE}---\n${ingress('web', '{nginx.ingress.kubernetes.io/auth-url: "http://auth.example.com"}')}`)
    const { code, stdout } = await runNarthex(['check', path])
    expect(code).toBe(1)
    expect(stdout).toMatch(/AnnotationUnsupported[\s\S]*503/)
  })

  it('checks Ingresses of the class that it is asked for, and says that others were not', async () => {
    const path = file('nginx.yaml', `${SERVICE}---\n${ingress('nobody').replace('{rules', '{ingressClassName: nginx, rules')}`)
    const asked = await runNarthex(['check', '--ingress-class=nginx', path])
    expect([asked.code, asked.stdout]).toEqual([1, expect.stringContaining('ServiceNotFound')])
    expect(asked.stdout).toContain('1 Ingress, 1 of class nginx; 1 error, 0 warnings')
    const other = await runNarthex(['check', path])
    expect([other.code, other.stdout]).toEqual([0, expect.stringContaining('note: No IngressClass is among the files')])
    expect(other.stdout).toContain('note: 1 Ingress of another class not checked; choose it with --ingress-class')
  })

  it('answers JSON', async () => {
    const { stdout } = await runNarthex(['check', file('json.yaml', `${SERVICE}---\n${ingress('nobody')}`), '-o', 'json'])
    const answer = JSON.parse(stdout) as { diagnostics: { reason: string }[] }
    expect(answer.diagnostics.map((each) => each.reason)).toEqual(['ServiceNotFound'])
  })

  it.each([
    [['check'], 2, 'narthex check: wants files or directories: narthex check FILE|DIR…\n'],
    [['check', join(folder, 'nowhere.yaml')], 1, `narthex: ${join(folder, 'nowhere.yaml')}: no such file or directory\n`],
    [['check', '--wrong'], 2, /^narthex check: unknown option '--wrong'.*; see narthex check --help\n$/],
    [['check', 'x', '-o', 'yaml'], 2, 'narthex check: -o wants text or json, got "yaml"\n'],
  ])('%j is answered in one line', async (args, code, message) => {
    const exit = await runNarthex(args)
    expect(exit.code).toBe(code)
    if (typeof message === 'string') expect(exit.stderr).toBe(message)
    else expect(exit.stderr).toMatch(message)
  })

  it('names the file and the line of malformed YAML', async () => {
    const path = file('bad.yaml', 'kind: Ingress\nmetadata: [')
    const { code, stderr } = await runNarthex(['check', path])
    expect(code).toBe(1)
    expect(stderr).toMatch(new RegExp(`^narthex: ${path}: not valid YAML: .*\\(\\d+:\\d+\\)`))
  })
})

describe('narthex routes', () => {
  it('prints the routes of files as a table', async () => {
    const { stdout } = await runNarthex(['routes', 'examples/'])
    expect(stdout).toMatch(/^HOST +PATH +TYPE +BACKEND +ENDPOINTS +FROM\n/)
    expect(stdout).toMatch(/^hello\.example\.com +\/api +Prefix +hello\/api:3000 +0 +Ingress hello\/hello$/m)
  })

  it('prints the TCP services of a ConfigMap among the files', async () => {
    const map = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: tcp, namespace: default}\ndata: {"5432": "default/web:80"}\n'
    const path = file('streams.yaml', `${SERVICE}---\n${map}`)
    const { stdout } = await runNarthex(['routes', '--tcp-services-configmap', 'default/tcp', path])
    expect(stdout).toMatch(/^port 5432 +- +TCP +default\/web:80 +0 +ConfigMap default\/tcp$/m)
    const { code, stderr } = await runNarthex(['routes', '--tcp-services-configmap', 'tcp', path])
    expect([code, stderr]).toEqual([2, 'narthex routes: --tcp-services-configmap wants namespace/name, got "tcp"\n'])
  })

  it('says how to get a controller when none answers', async () => {
    const { code, stderr } = await runNarthex(['routes', '--admin', 'http://127.0.0.1:1'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^narthex: no controller answers at http:\/\/127\.0\.0\.1:1 \(.*\); start one with "narthex sandbox", or name its admin port with --admin URL\n$/)
  })
})
