import { X509Certificate, createPrivateKey } from 'node:crypto'
import { expect, test } from 'vitest'
import { createDefaultCertificate } from '../../src/http/tls/default-certificate.ts'

test('the default certificate says whose it is, is not a CA, fits its key and holds for a year', async () => {
  const now = Date.UTC(2030, 0, 15)
  const { certificate, privateKey } = await createDefaultCertificate(now)
  const parsed = new X509Certificate(certificate)
  expect(parsed.subject).toBe('O=Narthex\nCN=Narthex Default Certificate')
  expect(parsed.issuer).toBe(parsed.subject)
  expect(parsed.ca).toBe(false)
  expect(parsed.checkPrivateKey(createPrivateKey(privateKey))).toBe(true)
  expect(parsed.verify(parsed.publicKey)).toBe(true)
  expect(parsed.checkHost('narthex.local')).toBe('narthex.local')
  expect([parsed.validFromDate.getTime(), parsed.validToDate.getTime()]).toEqual([Date.UTC(2030, 0, 14), Date.UTC(2031, 0, 15)])
  expect(parsed.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
})
