// The annotation table as a whole, beyond single cases.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ObjectRef } from '../../src/model/object-ref.ts'
import { readAnnotations } from '../../src/translate/annotations/read.ts'
import { parseBool } from '../../src/translate/annotations/spec.ts'
import { ANNOTATION_GROUPS, ANNOTATIONS } from '../../src/translate/annotations/table.ts'
import { DEFAULT_TRANSLATE_OPTIONS } from '../../src/translate/options.ts'

const OBJECT: ObjectRef = { kind: 'Ingress', apiVersion: 'networking.k8s.io/v1', namespace: 'dev', name: 'web' }
const NGINX = 'nginx.ingress.kubernetes.io'
const OPTIONS = DEFAULT_TRANSLATE_OPTIONS

const read = (name: string, value: string, prefix = NGINX) => readAnnotations({ [`${prefix}/${name}`]: value }, OPTIONS, OBJECT)

const OWN_ONLY = ['scheduler', 'scheduler-flags', 'hash-key', 'weights', 'health-check', 'health-check-interval', 'health-check-timeout', 'health-check-healthy-threshold', 'health-check-unhealthy-threshold', 'ssl-passthrough-proxy-protocol', 'ssl-protocols', 'use-http2']

test('names every annotation of ingress-nginx once', () => {
  const all = Object.values(ANNOTATION_GROUPS).flat()
  expect(all.length).toBe(ANNOTATIONS.size)
  expect(ANNOTATIONS.size - OWN_ONLY.filter((name) => ANNOTATIONS.has(name)).length).toBe(138)
})

describe('a protection that can not be had', () => {
  const path = ['auth-type', 'auth-secret', 'auth-url', 'auth-snippet', 'allowlist-source-range', 'whitelist-source-range', 'denylist-source-range', 'enable-modsecurity', 'modsecurity-snippet']
  test.each(path)('%s closes, under either prefix, with an error', (name) => {
    for (const prefix of [NGINX, 'narthex.ingress.kubernetes.io']) {
      const { policy, diagnostics } = read(name, 'true', prefix)
      expect(policy.closesPaths || policy.closesHosts).toBe(true)
      expect(diagnostics.map((diagnostic) => diagnostic.severity)).toEqual(['error'])
    }
  })
})

test('every annotation with a value that asks for something leaves a diagnostic or is supported', () => {
  for (const [name, spec] of ANNOTATIONS) {
    if (spec.kind === 'pending') expect.soft(read(name, 'other-thing { deny all; }').diagnostics.length, name).toBe(1)
  }
})

test('booleans are those of Go and no others', () => {
  for (const text of ['1', 't', 'T', 'TRUE', 'true', 'True']) expect(parseBool(text)).toBe(true)
  for (const text of ['0', 'f', 'F', 'FALSE', 'false', 'False']) expect(parseBool(text)).toBe(false)
  for (const text of ['yes', 'on', 'no', 'off', 'tRUE', '', '2', ' true']) expect(parseBool(text)).toBeUndefined()
})

test('any annotations are read without a throw and equal policies are one object', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.oneof(fc.constantFrom(...[...ANNOTATIONS.keys()].map((name) => `${NGINX}/${name}`)), fc.string().map((text) => `${NGINX}/${text}`)), fc.string()), (annotations) => {
      const first = readAnnotations(annotations, OPTIONS, OBJECT)
      const second = readAnnotations(annotations, OPTIONS, OBJECT)
      expect(second.policy).toBe(first.policy)
      expect(second).toEqual(first)
    }),
    { seed: 7, numRuns: 300 },
  )
})
