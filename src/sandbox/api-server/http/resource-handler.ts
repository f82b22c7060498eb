// The verbs on resources: reads the request, calls the registry, answers in the negotiated form.
import type { ApiRegistry } from '../api-registry.ts'
import { ApiError } from '../api-error.ts'
import type { Status } from '../api-error.ts'
import { badRequest, notFound } from '../failures.ts'
import { isJsonObject, readPath, toKubeObject } from '../json-value.ts'
import type { Json, KubeObject } from '../kind.ts'
import type { DeleteOptions, WriteOptions } from '../registry.ts'
import { decodeForKind, matchIdentity, parseBody, parseText, readDryRun, readFieldValidation } from './bodies.ts'
import type { Body, Decoders } from './bodies.ts'
import { listPage } from './list.ts'
import type { Page } from './list.ts'
import { patchType } from './negotiation.ts'
import type { Answer } from './negotiation.ts'
import { applyPatch, patchObject, readPatch } from './patching.ts'
import type { RequestInfo, ResourcePath, Verb } from './request-info.ts'
import { toScale, withScale } from './scale.ts'
import { nameOf, present } from './served-versions.ts'
import type { Served } from './served-versions.ts'
import { partialMetadata, table } from './table.ts'
import type { IncludeObject } from './table.ts'

export interface ResourceRequest {
  readonly info: RequestInfo
  readonly path: ResourcePath
  readonly served: Served
  readonly verb: Exclude<Verb, 'watch'>
  readonly body: Body
  readonly answer: Answer
  /** Name of the writer when the request gives none. */
  readonly defaultManager: string
}

export interface Reply {
  readonly code: number
  readonly body: object
  readonly warnings: readonly string[]
}

export function readIncludeObject(query: URLSearchParams): IncludeObject {
  const value = query.get('includeObject') ?? ''
  if (value === '' || value === 'Metadata') return 'Metadata'
  if (value === 'None' || value === 'Object') return value
  throw badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`)
}

export function createResourceHandler(registry: ApiRegistry, decoders: Decoders): (request: ResourceRequest) => Reply {
  function inForm({ served, info, answer: { form } }: ResourceRequest, object: KubeObject): object {
    if (form.as === 'table') return table(served, [object], { resourceVersion: object.metadata.resourceVersion }, form.version, readIncludeObject(info.query), registry.now())
    if (form.as === 'metadata' || form.as === 'metadata-list') return partialMetadata(object, form.version)
    return present(served, object)
  }

  function listInForm({ served, info, answer: { form } }: ResourceRequest, { objects, metadata }: Page): object {
    if (form.as === 'table') return table(served, objects, metadata, form.version, readIncludeObject(info.query), registry.now())
    if (form.as === 'metadata' || form.as === 'metadata-list') {
      return { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${form.version}`, metadata, items: objects.map((object) => ({ metadata: object.metadata })) }
    }
    // Items of a typed list carry no kind and version of their own.
    const items = objects.map((object) => {
      const { kind: _, apiVersion: __, ...item } = present(served, object)
      return item
    })
    return { kind: `${served.kind.kind}List`, apiVersion: served.apiVersion, metadata, items }
  }

  function writeOptions({ info, path, defaultManager }: ResourceRequest): WriteOptions {
    const fieldManager = info.query.get('fieldManager') || defaultManager
    if (fieldManager.length > 128) throw badRequest('fieldManager: Too long: may not be more than 128 bytes')
    const subresource = path.subresource === 'status' || path.subresource === 'scale' || path.subresource === 'finalize' ? path.subresource : undefined
    return { fieldManager, dryRun: readDryRun(info.query.getAll('dryRun').filter((value) => value !== ''), 'PatchOptions'), ...(subresource !== undefined && { subresource }) }
  }

  function needLive({ served, path }: ResourceRequest): KubeObject {
    const live = registry.storage.get(served.kind, path.namespace ?? '', path.name ?? '')
    if (live === undefined) throw notFound(nameOf(served), path.name ?? '')
    return live
  }

  function get(request: ResourceRequest): Reply {
    const live = needLive(request)
    if (request.path.subresource === 'scale') return { code: 200, body: toScale(live), warnings: [] }
    return { code: 200, body: inForm(request, live), warnings: [] }
  }

  function create(request: ResourceRequest): Reply {
    const { served, path, info, body } = request
    const warnings: string[] = []
    const parsed = parseBody(body, decoders)
    const object = decodeForKind(parsed.value, parsed.duplicates, served, readFieldValidation(info.query), decoders, warnings)
    matchIdentity(object, path)
    if (served.kind.namespaced && path.namespace === undefined) throw badRequest('the namespace of the object must be given in the URL')
    const made = registry.createObject(served.kind, object, writeOptions(request))
    return { code: 201, body: inForm(request, made), warnings: [...warnings, ...(served.kind.warnings?.(made, undefined) ?? [])] }
  }

  function modify(request: ResourceRequest, warnings: string[], change: (live: KubeObject) => KubeObject): Reply {
    const { served, path } = request
    let before: KubeObject | undefined
    const after = registry.modify(served.kind, path.namespace ?? '', path.name ?? '', (live) => {
      before = live
      return change(live)
    }, writeOptions(request))
    if (path.subresource === 'scale') return { code: 200, body: toScale(after), warnings }
    return { code: 200, body: inForm(request, after), warnings: [...warnings, ...(served.kind.warnings?.(after, before) ?? [])] }
  }

  function update(request: ResourceRequest): Reply {
    const { served, path, info, body } = request
    const warnings: string[] = []
    needLive(request)
    const parsed = parseBody(body, decoders)
    if (path.subresource === 'scale') return modify(request, warnings, (live) => withScale(served, live, parsed.value))
    const object = decodeForKind(parsed.value, parsed.duplicates, served, readFieldValidation(info.query), decoders, warnings)
    matchIdentity(object, path)
    return modify(request, warnings, () => object)
  }

  function patch(request: ResourceRequest): Reply {
    const { served, path, info, body } = request
    const warnings: string[] = []
    const type = patchType(body.contentType)
    const validation = readFieldValidation(info.query)
    if (type === 'apply') return apply(request)
    const patch = readPatch(type, body)
    if (path.subresource === 'scale') {
      return modify(request, warnings, (live) => withScale(served, live, applyPatch(toScale(live), patch.type === 'strategic' ? { ...patch, type: 'merge' } : patch, {}, registry)))
    }
    return modify(request, warnings, (live) => patchObject(live, patch, served, registry, decoders, validation, warnings))
  }

  function apply(request: ResourceRequest): Reply {
    const { served, path, info, body } = request
    const value = parseText(body.bytes.toString('utf8'), 'yaml')
    if (path.subresource === 'scale') throw badRequest('server-side apply is not supported on scale here: use a merge patch')
    if (!info.query.get('fieldManager')) throw missingManager()
    if (!isJsonObject(value)) throw badRequest('error decoding YAML: the body is no object')
    const { object, unknownFields } = decoders.decodeObject({ ...value, apiVersion: value['apiVersion'] ?? served.apiVersion, kind: served.kind.kind }, served.schemaName)
    const first = unknownFields[0]
    if (first !== undefined) {
      const id = `${path.namespace === undefined ? '' : `${path.namespace}/`}${path.name ?? ''}; ${served.apiVersion}, Kind=${served.kind.kind}`
      throw new ApiError(500, '', `failed to create typed patch object (${id}): .${first}: field not declared in schema`)
    }
    if (object.metadata?.managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
    object.metadata ??= toKubeObject({ metadata: {} }).metadata
    matchIdentity(object, path)
    const current = served.legacy === undefined ? object : served.legacy.toCurrent(object)
    const before = registry.storage.get(served.kind, path.namespace ?? '', path.name ?? '')
    const { object: after, created } = registry.apply(served.kind, path.namespace ?? '', path.name ?? '', current, { ...writeOptions(request), force: info.query.get('force') === 'true' })
    return { code: created ? 201 : 200, body: inForm(request, after), warnings: served.kind.warnings?.(after, before) ?? [] }
  }

  function deleteOptions({ info: { query }, body }: ResourceRequest): DeleteOptions {
    const value: Json = body.bytes.length === 0 ? {} : parseBody(body, decoders).value
    const grace = readPath(value, 'gracePeriodSeconds') ?? query.get('gracePeriodSeconds')
    const policy = readPath(value, 'propagationPolicy') ?? query.get('propagationPolicy')
    const orphan = readPath(value, 'orphanDependents') ?? query.get('orphanDependents')
    const dryRun = readPath(value, 'dryRun') ?? query.getAll('dryRun')
    const uid = readPath(value, 'preconditions', 'uid')
    const resourceVersion = readPath(value, 'preconditions', 'resourceVersion')
    const seconds = grace === null || grace === undefined || grace === '' ? undefined : Number(grace)
    if (seconds !== undefined && !Number.isSafeInteger(seconds)) throw badRequest('gracePeriodSeconds must be an integer')
    if (policy && policy !== 'Foreground' && policy !== 'Background' && policy !== 'Orphan') {
      const message = `Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan", "nil"`
      throw new ApiError(422, 'Invalid', `DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: ${message}`, {
        group: 'meta.k8s.io', kind: 'DeleteOptions', causes: [{ reason: 'FieldValueNotSupported', message, field: 'propagationPolicy' }],
      })
    }
    const propagationPolicy = policy === 'Foreground' || policy === 'Background' || policy === 'Orphan' ? policy : orphan === true || orphan === 'true' ? 'Orphan' : undefined
    return {
      ...(seconds !== undefined && { gracePeriodSeconds: seconds }),
      ...(propagationPolicy !== undefined && { propagationPolicy }),
      preconditions: { ...(typeof uid === 'string' && { uid }), ...(typeof resourceVersion === 'string' && { resourceVersion }) },
      dryRun: readDryRun(Array.isArray(dryRun) ? dryRun.map(String).filter((one) => one !== '') : [], 'DeleteOptions'),
    }
  }

  function remove(request: ResourceRequest): Reply {
    const { served, path } = request
    const { object, gone } = registry.deleteObject(served.kind, path.namespace ?? '', path.name ?? '', deleteOptions(request))
    if (!gone) return { code: 200, body: inForm(request, object), warnings: [] }
    const { group, resource } = nameOf(served)
    const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: { name: object.metadata.name, ...(group !== '' && { group }), kind: resource, uid: object.metadata.uid } }
    return { code: 200, body: status, warnings: [] }
  }

  function removeCollection(request: ResourceRequest): Reply {
    const { served, path, info } = request
    const options = deleteOptions(request)
    const page = listPage(registry, served, path.namespace, info.query)
    const objects = page.objects.map((object) => registry.deleteObject(served.kind, object.metadata.namespace ?? '', object.metadata.name, options).object)
    return { code: 200, body: listInForm(request, { ...page, objects }), warnings: [] }
  }

  const handlers: Record<ResourceRequest['verb'], (request: ResourceRequest) => Reply> = {
    get,
    list: (request) => ({ code: 200, body: listInForm(request, listPage(registry, request.served, request.path.namespace, request.info.query)), warnings: [] }),
    create,
    update,
    patch,
    delete: remove,
    deletecollection: removeCollection,
  }
  return (request) => handlers[request.verb](request)
}

function missingManager(): ApiError {
  const message = 'Required value: is required for apply patch'
  return new ApiError(422, 'Invalid', `PatchOptions.meta.k8s.io "" is invalid: fieldManager: ${message}`, {
    group: 'meta.k8s.io', kind: 'PatchOptions', causes: [{ reason: 'FieldValueRequired', message, field: 'fieldManager' }],
  })
}
