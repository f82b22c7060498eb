// narthex check over the ConfigMaps of TCP and UDP services, as files.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { runNarthex } from '../support/narthex.ts'

const folder = mkdtempSync(join(tmpdir(), 'narthex-check-'))
afterAll(() => rmSync(folder, { recursive: true }))

const FILE = `
apiVersion: v1
kind: ConfigMap
metadata: {name: tcp, namespace: infra}
data: {"5432": "dev/db:5432", "5433": "dev/db:sql"}
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: dev}
spec: {ports: [{port: 5432}]}
`

test('entries are checked where an option names their ConfigMap, and only there', async () => {
  const path = join(folder, 'tcp.yaml')
  writeFileSync(path, FILE)
  expect(await runNarthex(['check', path])).toMatchObject({ code: 0 })
  const named = await runNarthex(['check', path, '--tcp-services-configmap=infra/tcp'])
  expect(named.code).toBe(1)
  expect(named.stdout).toContain('error: ConfigMap infra/tcp: data[5433]: ServicePortNotFound')
  expect(named.stdout).toContain('Name one of its ports: 5432.')
  expect(named.stdout).not.toContain('data[5432]')
})
