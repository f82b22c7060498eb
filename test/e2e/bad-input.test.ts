// Each mistake a user can make: what they are told (object, field, fix), and that everything else goes on working.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { connect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../support/fetch-host.ts'
import { startSandbox, type Sandbox } from '../support/sandbox.ts'

const exec = promisify(execFile)

let sandbox: Sandbox
const statusOf = async (host: string, path = '/'): Promise<number> => (await sandbox.ask(host, { path })).status
const eventsOf = (name: string): Promise<string> => sandbox.kube(`get events -n bad --field-selector involvedObject.name=${name} -o custom-columns=T:.type,R:.reason,M:.message --no-headers`)
const event = (name: string, pattern: RegExp): Promise<string> => eventually(() => eventsOf(name), (text) => pattern.test(text), { every: 100 })

interface Shape {
  readonly name: string
  readonly host?: string
  readonly service?: string
  readonly port?: string
  readonly path?: string
  readonly pathType?: string
  readonly extra?: string
  readonly className?: string
}

const ingress = ({ name, host = `${name}.example.com`, service = 'web', port: servicePort = 'number: 80', path = '/', pathType = 'Prefix', extra = '', className = 'narthex' }: Shape): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: ${name}, namespace: bad}
spec:
  ingressClassName: ${className}
  ${extra}
  rules: [{host: "${host}", http: {paths: [{path: "${path}", pathType: ${pathType}, backend: {service: {name: ${service}, port: {${servicePort}}}}}]}}]
`

const GOOD = `
apiVersion: v1
kind: Namespace
metadata: {name: bad}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: bad}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: web:1, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: bad}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
---${ingress({ name: 'good' })}`

const makeCertificate = async (name: string, ...extra: string[]): Promise<{ key: string; cert: string }> => {
  const key = join(sandbox.home, `${name}.key`)
  const cert = join(sandbox.home, `${name}.crt`)
  await exec('openssl', ['req', '-x509', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-keyout', key, '-out', cert, '-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}.example.com`, ...(extra.length > 0 ? extra : ['-days', '2'])])
  return { key, cert }
}

const secretYaml = (name: string, cert: string, key: string): string =>
  `apiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: bad}\ntype: kubernetes.io/tls\ndata: {tls.crt: ${readFileSync(cert).toString('base64')}, tls.key: ${readFileSync(key).toString('base64')}}\n`

const commonNameAt = (servername: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: sandbox.ports['https'] ?? 0, servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    })
    socket.on('error', reject)
  })

beforeAll(async () => {
  sandbox = await startSandbox('--threads=1')
  await sandbox.apply(GOOD)
  await eventually(() => statusOf('good.example.com'), (status) => status === 200)
})
afterAll(() => sandbox.stop())
afterEach(async () => {
  expect(await statusOf('good.example.com')).toBe(200)
})

describe('refused by the API, with the words of a real API server', () => {
  it.each([
    ['malformed YAML', 'kind: Ingress\n metadata: [', /error parsing|error converting YAML/],
    ['an unknown field', ingress({ name: 'unknown-field', extra: 'hots: []' }), /strict decoding error: unknown field "spec\.hots"/],
    ['a path without a slash', ingress({ name: 'no-slash', path: 'foo' }), /spec\.rules\[0\]\.http\.paths\[0\]\.path: Invalid value: "foo": must be an absolute path/],
    ['a host with two wildcards', ingress({ name: 'two-stars', host: '*.*.com' }), /spec\.rules\[0\]\.host: Invalid value: "\*\.\*\.com": a wildcard DNS-1123 subdomain must start with '\*\.'/],
  ])('%s', async (_, yaml, message) => {
    const { code, stderr } = await sandbox.kubectl('apply -f -', yaml)
    expect(code).toBe(1)
    expect(stderr).toMatch(message)
  })
})

describe('told by an Event on the Ingress', () => {
  it('a Service that does not exist: 503', async () => {
    await sandbox.apply(ingress({ name: 'no-service', service: 'nobody' }))
    expect(await event('no-service', /ServiceNotFound/)).toMatch(/Warning\s+ServiceNotFound\s+spec\.rules\[0\]\.http\.paths\[0\]\.backend\.service\.name: .*nobody/)
    expect(await statusOf('no-service.example.com')).toBe(503)
  })

  it('a port that the Service does not have: 503', async () => {
    await sandbox.apply(ingress({ name: 'no-port', port: 'number: 81' }))
    expect(await event('no-port', /ServicePortNotFound/)).toMatch(/spec\.rules\[0\]\.http\.paths\[0\]\.backend\.service\.port.*81/)
    expect(await statusOf('no-port.example.com')).toBe(503)
  })

  it('a Secret that does not exist: the default certificate', async () => {
    await sandbox.apply(ingress({ name: 'no-secret', extra: 'tls: [{hosts: [no-secret.example.com], secretName: nowhere}]' }))
    expect(await event('no-secret', /SecretNotFound/)).toMatch(/spec\.tls\[0\]\.secretName.*nowhere/)
    expect(await commonNameAt('no-secret.example.com')).toMatch(/Narthex/)
  })

  it('an IngressClass that does not exist: not served', async () => {
    await sandbox.apply(ingress({ name: 'no-class', className: 'nothing' }))
    expect(await event('no-class', /ClassNotFound/)).toMatch(/spec\.ingressClassName.*nothing/)
    expect(await statusOf('no-class.example.com')).toBe(404)
  })

  it('a key that does not match its certificate: the last good certificate stays', async () => {
    const good = await makeCertificate('mismatch')
    const other = await makeCertificate('other')
    await sandbox.apply(`${secretYaml('mismatch', good.cert, good.key)}---${ingress({ name: 'mismatch', extra: 'tls: [{hosts: [mismatch.example.com], secretName: mismatch}]' })}`)
    await eventually(() => commonNameAt('mismatch.example.com'), (name) => name === 'mismatch')
    await sandbox.apply(secretYaml('mismatch', good.cert, other.key))
    const text = await event('mismatch', /CertificateInvalid/)
    expect(text).toMatch(/bad\/mismatch.*tls\.key/)
    expect(text).not.toContain('PRIVATE KEY')
    expect(await commonNameAt('mismatch.example.com')).toBe('mismatch')
  })

  it('an expired certificate: served, with a warning', async () => {
    const { cert, key } = await makeCertificate('expired', '-not_before', '20200101000000Z', '-not_after', '20200201000000Z').catch(() => expiredWithOldOpenssl())
    await sandbox.apply(`${secretYaml('expired', cert, key)}---${ingress({ name: 'expired', extra: 'tls: [{hosts: [expired.example.com], secretName: expired}]' })}`)
    expect(await event('expired', /CertificateExpired/)).toMatch(/2020|expired/)
    expect(await eventually(() => commonNameAt('expired.example.com'), (name) => name === 'expired')).toBe('expired')
  })

  it('two Ingresses that fight for one path: the older one serves', async () => {
    await sandbox.apply(ingress({ name: 'older', host: 'fight.example.com' }))
    await eventually(() => statusOf('fight.example.com'), (status) => status === 200)
    await sandbox.apply(ingress({ name: 'younger', host: 'fight.example.com', service: 'nobody' }))
    expect(await event('younger', /PathConflict/)).toMatch(/bad\/older/)
    expect(await statusOf('fight.example.com')).toBe(200)
  })
})

describe('an Ingress that is being deleted', () => {
  it('loses its hosts at once, though a finalizer keeps the object', async () => {
    await sandbox.apply(ingress({ name: 'going' }).replace('namespace: bad}', 'namespace: bad, finalizers: [example.com/hold]}'))
    await eventually(() => statusOf('going.example.com'), (status) => status === 200)
    await sandbox.kube('delete ingress going -n bad --wait=false')
    await eventually(() => statusOf('going.example.com'), (status) => status === 404)
    expect(await sandbox.kube('get ingress going -n bad -o jsonpath={.metadata.deletionTimestamp}')).not.toBe('')
    await sandbox.kube(`patch ingress going -n bad --type=json -p=[{"op":"remove","path":"/metadata/finalizers"}]`)
  })
})

/** OpenSSL before 3.4 can't set dates in `req`; `ca`-less way: sign with `x509 -days` under faked dates is not there either, so node-forge makes it. */
async function expiredWithOldOpenssl(): Promise<{ key: string; cert: string }> {
  const { default: forge } = await import('node-forge')
  const { writeFileSync } = await import('node:fs')
  const { generateKeyPairSync } = await import('node:crypto')
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs1', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey)
  certificate.serialNumber = '01'
  certificate.validity.notBefore = new Date('2020-01-01T00:00:00Z')
  certificate.validity.notAfter = new Date('2020-02-01T00:00:00Z')
  const name = [{ name: 'commonName', value: 'expired' }]
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([{ name: 'subjectAltName', altNames: [{ type: 2, value: 'expired.example.com' }] }])
  certificate.sign(forge.pki.privateKeyFromPem(pair.privateKey), forge.md.sha256.create())
  const key = join(sandbox.home, 'expired.key')
  const cert = join(sandbox.home, 'expired.crt')
  writeFileSync(key, pair.privateKey)
  writeFileSync(cert, forge.pki.certificateToPem(certificate))
  return { key, cert }
}
