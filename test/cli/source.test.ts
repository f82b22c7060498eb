// Whom a command blames when the admin server does not give it what it asked for.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fetchAdmin } from '../../src/cli/source.ts'

const server = createServer(({ url }, response) => {
  response.writeHead(Number(url?.slice(1)), { 'content-type': 'application/json' }).end('{"error":"why"}')
})
const admin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'))
afterAll(() => server.close())

it('what was asked, where it can not be read', async () => {
  await expect(fetchAdmin(admin(), '/400')).rejects.toThrow(/^why$/)
})

it('the server, where it is at fault', async () => {
  await expect(fetchAdmin(admin(), '/500')).rejects.toThrow(`${admin()}: why`)
})
