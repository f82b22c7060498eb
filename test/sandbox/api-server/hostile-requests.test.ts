// Requests that mean harm: the server answers with a Status, keeps its bounds and goes on.
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../../src/sandbox/api-server/create-registry.ts'
import { plainSchemas, widgets } from './support/plain-kinds.ts'
import { send, startPlain } from './support/plain-server.ts'

const base = '/apis/test.example.com/v1/namespaces/default/widgets'
const yaml = { 'content-type': 'application/yaml' }
const merge = { 'content-type': 'application/merge-patch+json' }

describe('bodies', () => {
  it.each([
    ['nested 100,000 deep', `{"metadata":{"name":"a"},"spec":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, {}],
    ['nested objects', `{"metadata":{"name":"a"},"spec":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, {}],
    ['YAML aliases that multiply', `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghij'.split('').map((name, at) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefghij'.charAt(at)}`).join(',')}]`).join('\n')}\nmetadata: {name: a}\n`, yaml],
    ['YAML with a key twice', 'metadata: {name: a}\nspec: {}\nspec: {}\n', yaml],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80]), {}],
    ['nothing', '', {}],
    ['a number', '1', {}],
  ])('%s are refused with 400', async (_, body, headers) => {
    const server = await startPlain()
    expect(await send(server, base, { method: 'POST', body, headers })).toMatchObject({ status: 400, body: { kind: 'Status', reason: 'BadRequest' } })
    expect((await send(server, base)).status).toBe(200)
  })

  it('that are deep patches are refused too', async () => {
    const server = await startPlain()
    await send(server, base, { method: 'POST', body: { metadata: { name: 'a' } } })
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
    for (const type of ['application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/json-patch+json', 'application/apply-patch+yaml']) {
      expect((await send(server, `${base}/a?fieldManager=x`, { method: 'PATCH', body: deep, headers: { 'content-type': type } })).status).toBe(400)
    }
    const steps = JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'Widget' })))
    expect((await send(server, `${base}/a`, { method: 'PATCH', body: steps, headers: { 'content-type': 'application/json-patch+json' } })).body['message']).toContain('The allowed maximum operations in a JSON patch is 10000')
  })

  it('with a prototype as a member change no prototype', async () => {
    const server = await startPlain()
    await send(server, base, { method: 'POST', body: '{"metadata":{"name":"a","labels":{"__proto__":"x","constructor":"y"}},"__proto__":{"polluted":1}}' })
    await send(server, `${base}/a`, { method: 'PATCH', body: '{"__proto__":{"polluted":1},"metadata":{"__proto__":{"polluted":1}}}', headers: merge })
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect((await send(server, `${base}?labelSelector=toString`)).body['items']).toEqual([])
    expect((await send(server, `${base}?labelSelector=constructor`)).body['items']).toHaveLength(1)
  })
})

describe('targets', () => {
  it.each(['/api/v1/namespaces/%zz', `/${'a'.repeat(70_000)}`, '/apis//v1/x', '/apis/test.example.com/v1/widgets//', '/api/v1/namespaces/../../etc', '/apis/__proto__/v1/constructor', '/api/v1/toString', '/openapi/v3/__proto__', '/%00'])('%s is found nowhere', async (target) => {
    const server = await startPlain()
    const status = await new Promise<string>((resolve) => {
      const socket = connect(server.port, '127.0.0.1', () => socket.write(`GET ${target.slice(0, 15_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`))
      socket.once('data', (data) => {
        resolve(data.toString().split('\r\n')[0] ?? '')
        socket.destroy()
      })
    })
    expect(status).toMatch(/^HTTP\/1\.1 (400|404|414|431) /)
  })

  it('with selectors that are no selectors are refused', async () => {
    const server = await startPlain()
    const selectors = ['a in (b', 'a in b', '(', 'a=b=c', '=', 'a in', '!', 'a!', ',', 'a,,b', 'a b', 'é', 'a=é', `a=${'x'.repeat(64)}`, 'a/b/c=d', 'a>b', 'x'.repeat(300)]
    for (const selector of selectors) {
      const answer = await send(server, `${base}?labelSelector=${encodeURIComponent(selector)}`)
      expect(answer, selector.slice(0, 40)).toMatchObject({ status: 400, body: { kind: 'Status', reason: 'BadRequest' } })
    }
    for (const selector of ['a', '=', 'spec.color', 'metadata.name=a,x']) expect((await send(server, `${base}?fieldSelector=${encodeURIComponent(selector)}`)).status, selector).toBe(400)
    for (const query of ['limit=x', 'resourceVersion=-1', 'continue=%7B%7D', 'includeObject=All&x', 'resourceVersionMatch=Exact']) {
      const { status } = await send(server, `${base}?${query}`, { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } })
      expect([400, 422], query).toContain(status)
    }
  })
})

describe('web pages', () => {
  it.each([
    [{ host: 'evil.example.com' }, 403], [{ host: 'evil.example.com:6443' }, 403], [{ host: 'localhost.evil.example.com' }, 403],
    [{ origin: 'https://evil.example.com' }, 403], [{ origin: 'null' }, 403], [{ origin: 'http://127.0.0.1:1' }, 403],
    [{ host: 'localhost:6443' }, 200], [{ host: '[::1]:6443' }, 200], [{ host: '127.0.0.1:6443', origin: 'http://127.0.0.1:6443' }, 200], [{ host: 'api.localhost' }, 200],
  ])('with %j are answered %i', async (headers, status) => {
    const server = await startPlain()
    expect((await send(server, base, { headers })).status).toBe(status)
  })
})

it('warnings can not end their header', async () => {
  const server = await startPlain({ kinds: [{ ...widgets, namespaced: false, deprecation: 'use "x"\r\nSet-Cookie: a=b\\ \u{1F600}' }] })
  const answer = await send(server, '/apis/test.example.com/v1/widgets')
  expect(answer.headers['set-cookie']).toBeUndefined()
  expect(answer.headers['warning']).toBe('299 - "use \\"x\\"??Set-Cookie: a=b\\\\ ??"')
})

it('a kind that throws costs one request, and names no internals', async () => {
  const lines: string[] = []
  const server = await startPlain({
    log: (line) => lines.push(line),
    kinds: [{ ...widgets, namespaced: false, row: () => {
      throw new Error('secret detail')
    } }],
  })
  server.registry.create('widgets', { metadata: { name: 'a' } })
  const answer = await send(server, '/apis/test.example.com/v1/widgets', { headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } })
  expect(answer).toMatchObject({ status: 500, body: { kind: 'Status', reason: 'InternalError' } })
  expect(answer.text).not.toContain('secret detail')
  expect(lines.join()).toContain('secret detail')
})

it('a listener that throws breaks neither the write nor the others', async () => {
  const errors: unknown[] = []
  const seen: string[] = []
  const registry = createRegistry({ kinds: [{ ...widgets, namespaced: false }], schemas: plainSchemas, onError: (error) => errors.push(error) })
  registry.watch('widgets', () => {
    throw new Error('listener')
  })
  registry.watch('widgets', ({ object }) => seen.push(object.metadata.name))
  registry.create('widgets', { metadata: { name: 'a' } })
  await Promise.resolve()
  expect(seen).toEqual(['a'])
  expect(errors).toHaveLength(1)
})
