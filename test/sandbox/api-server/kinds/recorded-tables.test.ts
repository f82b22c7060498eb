// Columns and cells of every table that a real API server answered, from the objects that it had in that moment.
import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../../src/sandbox/api-server/kind.ts'
import { KINDS } from '../../../../src/sandbox/api-server/kinds/index.ts'
import { decodeProtobuf } from '../../../../src/sandbox/api-server/protobuf/decode.ts'
import { exchanges, isList, isObject, isTable, target } from './recordings.ts'

const kinds = new Map(KINDS.map(kind => [kind.resource, kind]))
const recorded = exchanges()

function version(object: { readonly metadata: { readonly uid: string; readonly resourceVersion: string } }): string {
  return `${object.metadata.uid} ${object.metadata.resourceVersion}`
}

/** Every version of every object that is in the recordings somewhere. */
function objectsByVersion(): Map<string, KubeObject> {
  const objects = new Map<string, KubeObject>()
  const add = (object: unknown): void => {
    if (isObject(object)) objects.set(version(object), object)
  }
  for (const { request, response } of recorded) {
    if (isTable(response.body) || target(request.path).subresource === 'scale') continue
    if (isList(response.body)) response.body.items.forEach(add)
    else add(response.body)
    const isCreated = request.method === 'POST' && response.status === 201 && response.bodyBase64 !== undefined
    if (isCreated) add(decodeProtobuf(Buffer.from(response.bodyBase64 ?? '', 'base64')))
  }
  return objects
}

const objects = objectsByVersion()
const AGE = /^\d+s$/

describe('tables as a real API server prints them', () => {
  test('the kinds that are printed most have their columns', () => {
    const names = (resource: string): string[] => kinds.get(resource)?.columns.map(column => column.name) ?? []
    expect(names('ingresses')).toEqual(['Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'])
    expect(names('pods')).toEqual(['Name', 'Ready', 'Status', 'Restarts', 'Age', 'IP', 'Node', 'Nominated Node', 'Readiness Gates'])
    expect(names('nodes')).toEqual(['Name', 'Status', 'Roles', 'Age', 'Version', 'Internal-IP', 'External-IP', 'OS-Image', 'Kernel-Version', 'Container-Runtime'])
  })

  let rows = 0
  for (const { file, request, response } of recorded) {
    const { resource } = target(request.path)
    const kind = kinds.get(resource)
    const { body } = response
    if (kind === undefined || !isTable(body)) continue
    test(`${file}: columns of ${resource}`, () => expect(kind.columns).toEqual(body.columnDefinitions))
    for (const row of body.rows) {
      const object = objects.get(version(row.object as KubeObject))
      if (object === undefined) continue
      rows++
      test(`${file}: cells of ${object.metadata.name}`, () => {
        const age = row.cells.find(cell => typeof cell === 'string' && AGE.test(cell))
        const now = new Date(Date.parse(object.metadata.creationTimestamp) + Number.parseInt(String(age), 10) * 1000)
        expect(kind.row(object, now)).toEqual(row.cells)
      })
    }
  }
  if (recorded.length > 0) test('enough rows were compared', () => expect(rows).toBeGreaterThan(25))
})
