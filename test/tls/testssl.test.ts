// What testssl.sh, whose trade is to find fault with TLS servers, says of a listener with our defaults.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Certificate } from '../../src/model/routing.ts'
import { Authority } from './authority.ts'
import { configOf, tlsFixture, type Fixture } from './listener.ts'

const NAME = 'app.example.com'

let authority: Authority
let fixture: Fixture
let port: number

beforeAll(async () => {
  authority = await Authority.create()
  const issue = async (name: string, rsa: boolean): Promise<Certificate> => {
    const { certificate, key } = await authority.issue(name, `/CN=${NAME}`, { altName: NAME, days: 90, crlUri: `http://${NAME}/root.crl`, rsa })
    return { id: `dev/${name}`, certificate, privateKey: key, names: [NAME], notAfter: 0, fingerprint: '' }
  }
  const [ec, rsa] = [await issue('ec', false), await issue('rsa', true)]
  fixture = tlsFixture(ec, configOf([ec, rsa], { [NAME]: [ec.id, rsa.id] }))
  port = await fixture.listen()
})

afterAll(async () => {
  fixture.close()
  await authority.remove()
})

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

test('finds nothing above LOW, and forward secrecy everywhere', async () => {
  const file = join(authority.folder, 'findings.json')
  const checks = ['-p', '-s', '-f', '-P', '-S', '-U']
  const options = ['--ip', '127.0.0.1', '--warnings', 'off', '--color', '0', '--quiet', '--nodns', 'none', '--sneaky', '--add-ca', join(authority.folder, 'root.pem')]
  const child = spawn('testssl', [...options, ...checks, '--jsonfile', file, `${NAME}:${port}`], { stdio: 'ignore', cwd: authority.folder })
  await once(child, 'close')
  const findings = JSON.parse(await readFile(file, 'utf8')) as readonly Finding[]
  const bad = findings.filter(({ severity }) => ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'].includes(severity))
  expect(bad.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`)).toEqual([])
  const said = new Map(findings.map(({ id, finding }) => [id, finding]))
  expect(said.get('TLS1_3')).toContain('offered')
  expect([said.get('TLS1'), said.get('TLS1_1'), said.get('SSLv3')].join()).toMatch(/^(not offered,?){3}$/)
  expect(said.get('PFS')).toMatch(/^offered/)
  expect(findings.filter(({ id }) => id.startsWith('cert_chain_of_trust')).map(({ finding }) => finding.replace(/\.$/, ''))).toEqual(['passed', 'passed'])
}, 200_000)
