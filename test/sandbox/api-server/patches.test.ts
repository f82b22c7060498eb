// The patch types as pure functions: RFC examples, the rules of strategic merge, properties.
import { assert, jsonValue, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalJson } from '../../../src/sandbox/api-server/json-value.ts'
import type { JsonObject } from '../../../src/sandbox/api-server/json-value.ts'
import type { Json } from '../../../src/sandbox/api-server/kind.ts'
import { applyJsonPatch, JsonPatchError } from '../../../src/sandbox/api-server/patch/json-patch.ts'
import { applyMergePatch } from '../../../src/sandbox/api-server/patch/merge-patch.ts'
import { applyStrategicMergePatch, StrategicMergeError } from '../../../src/sandbox/api-server/patch/strategic-merge-patch.ts'
import { createSchemaWalk } from '../../../src/sandbox/api-server/schema-walk.ts'
import { plainSchemas } from './support/plain-kinds.ts'

const seed = 20_261_121
const json = jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

describe('JSON patch (RFC 6902)', () => {
  // Appendix A of the RFC.
  it.each<[string, Json, unknown, Json]>([
    ['A.1 adding an object member', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { baz: 'qux', foo: 'bar' }],
    ['A.2 adding an array element', { foo: ['bar', 'baz'] }, [{ op: 'add', path: '/foo/1', value: 'qux' }], { foo: ['bar', 'qux', 'baz'] }],
    ['A.3 removing an object member', { baz: 'qux', foo: 'bar' }, [{ op: 'remove', path: '/baz' }], { foo: 'bar' }],
    ['A.4 removing an array element', { foo: ['bar', 'qux', 'baz'] }, [{ op: 'remove', path: '/foo/1' }], { foo: ['bar', 'baz'] }],
    ['A.5 replacing a value', { baz: 'qux', foo: 'bar' }, [{ op: 'replace', path: '/baz', value: 'boo' }], { baz: 'boo', foo: 'bar' }],
    ['A.6 moving a value', { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } }, [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }], { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } }],
    ['A.7 moving an array element', { foo: ['all', 'grass', 'cows', 'eat'] }, [{ op: 'move', from: '/foo/1', path: '/foo/3' }], { foo: ['all', 'cows', 'eat', 'grass'] }],
    ['A.8 testing a value', { baz: 'qux', foo: ['a', 2, 'c'] }, [{ op: 'test', path: '/baz', value: 'qux' }, { op: 'test', path: '/foo/1', value: 2 }], { baz: 'qux', foo: ['a', 2, 'c'] }],
    ['A.10 adding a nested member', { foo: 'bar' }, [{ op: 'add', path: '/child', value: { grandchild: {} } }], { foo: 'bar', child: { grandchild: {} } }],
    ['A.11 ignoring unrecognized elements', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux', xyz: 123 }], { foo: 'bar', baz: 'qux' }],
    ['A.14 escape ordering', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
    ['A.16 adding an array value', { foo: ['bar'] }, [{ op: 'add', path: '/foo/-', value: ['abc', 'def'] }], { foo: ['bar', ['abc', 'def']] }],
    ['copying keeps the two apart', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }, { op: 'replace', path: '/c/b', value: 2 }], { a: { b: 1 }, c: { b: 2 } }],
    ['replacing the whole document', { a: 1 }, [{ op: 'replace', path: '', value: [1] }], [1]],
  ])('%s', (_, document, patch, expected) => {
    expect(applyJsonPatch(document, patch)).toEqual(expected)
  })

  it.each<[string, Json, unknown, string]>([
    ['a test that fails', { a: 1 }, [{ op: 'test', path: '/a', value: '1' }], 'testing value /a failed: test failed'],
    ['a missing parent', { a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }], 'add operation does not apply: doc is missing path: "/b/c": missing value'],
    ['a missing key', { a: 1 }, [{ op: 'remove', path: '/b' }], 'remove operation does not apply: doc is missing key: /b: missing value'],
    ['an index past the end', { a: [1] }, [{ op: 'add', path: '/a/3', value: 1 }], 'Unable to access invalid index: 3'],
    ['an index with a leading zero', { a: [1, 2] }, [{ op: 'remove', path: '/a/01' }], 'missing'],
    ['moving into a child', { a: { b: 1 } }, [{ op: 'move', from: '/a', path: '/a/b/c' }], 'Unable to move'],
    ['what a prototype has', {}, [{ op: 'replace', path: '/constructor', value: 1 }], 'missing key'],
    ['a path through a prototype', {}, [{ op: 'add', path: '/__proto__/polluted', value: 1 }], 'missing path'],
  ])('does not apply: %s', (_, document, patch, text) => {
    expect(() => applyJsonPatch(document, patch)).toThrow(text)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it.each([[{ op: 'add' }], 'x', null, [[{ op: 'nope', path: '/a' }]], [[{ op: 'add', path: '/a' }]], [[1]], [[{ op: 'add', path: 1, value: 1 }]]])('is malformed: %j', (patch) => {
    let kind: string | undefined
    try {
      applyJsonPatch({ a: 1 }, patch)
    } catch (error) {
      kind = error instanceof JsonPatchError ? error.kind : undefined
    }
    expect(kind).toBe('malformed')
  })
})

describe('merge patch (RFC 7386)', () => {
  // Appendix A of the RFC.
  it.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }], [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }], [{ a: 'b' }, { a: null }, {}], [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }], [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }], [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }], [['a', 'b'], ['c', 'd'], ['c', 'd']], [{ a: 'b' }, ['c'], ['c']], [{ a: 'foo' }, null, null], [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }], [[1, 2], { a: 'b', c: null }, { a: 'b' }], [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (document, patch, expected) => {
    expect(applyMergePatch(document, patch)).toEqual(expected)
  })

  it('changes neither side, applies twice like once, and pollutes nothing', () => {
    assert(property(json, json, (document, patch) => {
      const before = JSON.stringify([document, patch])
      const once = applyMergePatch(document, patch)
      expect(JSON.stringify([document, patch])).toBe(before)
      expect(equalJson(applyMergePatch(once, patch), once)).toBe(true)
    }), { seed, numRuns: 500 })
    applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":1}}') as Json)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

describe('strategic merge patch', () => {
  const walk = createSchemaWalk(plainSchemas)
  const apply = (spec: JsonObject, patch: JsonObject): unknown => applyStrategicMergePatch({ spec }, { spec: patch }, walk.named('Widget'), walk)['spec']
  const ports = [{ port: 80, name: 'a' }, { port: 81, name: 'b' }]

  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['merges list items by their key', { ports }, { ports: [{ port: 81, target: 'x' }] }, { ports: [{ port: 80, name: 'a' }, { port: 81, name: 'b', target: 'x' }] }],
    ['puts new items first when nothing says otherwise', { ports }, { ports: [{ port: 82 }] }, { ports: [{ port: 82 }, ...ports] }],
    ['deletes an item', { ports }, { ports: [{ port: 80, $patch: 'delete' }] }, { ports: [{ port: 81, name: 'b' }] }],
    ['replaces a list', { ports }, { ports: [{ port: 90 }, { $patch: 'replace' }] }, { ports: [{ port: 90 }] }],
    ['orders items as it is told', { ports }, { '$setElementOrder/ports': [{ port: 81 }, { port: 80 }] }, { ports: ports.toReversed() }],
    ['keeps items that the order does not name beside their neighbours', { ports: [...ports, { port: 99 }] }, { '$setElementOrder/ports': [{ port: 81 }, { port: 82 }, { port: 80 }], ports: [{ port: 82 }] }, { ports: [{ port: 81, name: 'b' }, { port: 82 }, { port: 80, name: 'a' }, { port: 99 }] }],
    ['replaces an atomic list', { rules: ['a', 'b'] }, { rules: ['c'] }, { rules: ['c'] }],
    ['adds to a list of strings', { tags: ['a', 'b'] }, { tags: ['c', 'a'] }, { tags: ['c', 'a', 'b'] }],
    ['takes from a list of strings', { tags: ['a', 'b'] }, { '$deleteFromPrimitiveList/tags': ['a'] }, { tags: ['b'] }],
    ['keeps only the keys that are retained', { strategy: { type: 'Rolling', rolling: { surge: '1' } } }, { strategy: { $retainKeys: ['type'], type: 'Recreate' } }, { strategy: { type: 'Recreate' } }],
    ['replaces a map', { strategy: { type: 'a', rolling: {} } }, { strategy: { $patch: 'replace', type: 'b' } }, { strategy: { type: 'b' } }],
    ['deletes a map', { color: 'x', strategy: { type: 'a' } }, { strategy: { $patch: 'delete' } }, { color: 'x' }],
    ['removes with null', { color: 'x', size: 1 }, { color: null }, { size: 1 }],
  ])('%s', (_, spec, patch, expected) => {
    expect(apply(spec, patch)).toEqual(expected)
  })

  it('refuses items without their key and directives it does not know', () => {
    expect(() => apply({ ports }, { ports: [{ name: 'x' }] })).toThrow(StrategicMergeError)
    expect(() => apply({ ports }, { ports: [{ name: 'x' }] })).toThrow('map: map[name:x] does not contain declared merge key: port')
    expect(() => apply({}, { strategy: { $patch: 'explode' } })).toThrow('Unknown patch type found: explode')
  })

  it('leaves an object as it is when the patch is empty, and pollutes nothing', () => {
    expect(apply({ ports, tags: ['a'] }, {})).toEqual({ ports, tags: ['a'] })
    apply({}, JSON.parse('{"__proto__":{"polluted":1},"$setElementOrder/__proto__":[1],"$deleteFromPrimitiveList/__proto__":[1]}') as JsonObject)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
