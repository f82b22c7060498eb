// Kubernetes' protobuf bodies ("k8s\0" and a runtime.Unknown) as the objects that they stand for. Bytes come from anyone: all of it is bounded.
import protobuf from 'protobufjs/minimal.js'
import { ApiError } from '../api-error.ts'
import type { KubeObject } from '../kind.ts'
import { isRoot, messageOf } from './messages.ts'
import type { FieldDescriptor, MessageDescriptor } from './messages.ts'

const MAGIC = Buffer.from('k8s\0', 'latin1')
/** What API servers accept as a request. */
const MOST_BYTES = 3 * 1024 * 1024
/** Two bytes can make a field and a field an object: a bound on the memory that a body may take. */
const MOST_FIELDS = 200_000

const VARINT = 0
const LENGTH = 2

type Reader = ReturnType<typeof protobuf.Reader.create>
type Fields = Record<string, unknown>

function malformed(detail: string): ApiError {
  return new ApiError(400, 'BadRequest', `the body is not a valid protobuf object: ${detail}`)
}

/** Throws ApiError 400 (413 for bodies that are too long, 415 for kinds that it has no descriptor of). */
export function decodeProtobuf(bytes: Uint8Array): KubeObject {
  if (bytes.length > MOST_BYTES) throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${MOST_BYTES}`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!buffer.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('it does not start with the prefix of Kubernetes')
  try {
    return decodeEnvelope(buffer.subarray(MAGIC.length))
  } catch (error) {
    if (error instanceof ApiError) throw error
    // The reader's own errors: offsets out of range, bad varints, invalid wire types.
    throw malformed(error instanceof Error ? error.message : 'unreadable')
  }
}

function decodeEnvelope(buffer: Buffer): KubeObject {
  let apiVersion = ''
  let kind = ''
  let raw: Uint8Array = new Uint8Array()
  eachField(buffer, (number, wire, reader) => {
    if (number === 1 && wire === LENGTH) {
      eachField(reader.bytes(), (inner, innerWire, type) => {
        if (innerWire !== LENGTH) type.skipType(innerWire)
        else if (inner === 1) apiVersion = type.string()
        else if (inner === 2) kind = type.string()
        else type.skipType(innerWire)
      })
    } else if (number === 2 && wire === LENGTH) raw = reader.bytes()
    else if (number === 3 && wire === LENGTH && reader.string() !== '') throw malformed('the content has an encoding')
    else if (number !== 3 || wire !== LENGTH) reader.skipType(wire)
  })
  const message = isRoot(apiVersion, kind) ? messageOf(kind) : undefined
  if (message === undefined) {
    throw new ApiError(415, 'UnsupportedMediaType', `no protobuf description of ${JSON.stringify(kind.slice(0, 100))} in version ${JSON.stringify(apiVersion.slice(0, 100))}: send JSON (kubectl … --dry-run=client -o yaml | kubectl apply -f -)`)
  }
  const budget: Budget = { fields: MOST_FIELDS }
  return { ...decodeMessage(raw, message, budget), apiVersion, kind } as KubeObject
}

interface Budget {
  fields: number
}

function eachField(bytes: Uint8Array, visit: (number: number, wire: number, reader: Reader) => void): void {
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag >>> 3 === 0) throw malformed('illegal field number 0')
    visit(tag >>> 3, tag & 7, reader)
  }
}

function decodeMessage(bytes: Uint8Array, message: MessageDescriptor, budget: Budget): Fields {
  const fields: Fields = {}
  eachField(bytes, (number, wire, reader) => {
    if (--budget.fields < 0) throw malformed(`more than ${MOST_FIELDS} fields`)
    const field = message.get(number)
    if (field === undefined) reader.skipType(wire)
    else if (field.shape === 'map') setEntry(fields, field, reader.bytes(), budget)
    else if (field.shape === 'list' && wire === LENGTH && isVarint(field.type)) appendPacked(fields, field, reader.bytes(), budget)
    else setField(fields, field, decodeValue(field.type, wire, reader, budget))
  })
  return fields
}

function isVarint(type: string): boolean {
  return type === 'int32' || type === 'int64' || type === 'bool'
}

function listOf(fields: Fields, name: string): unknown[] {
  const known = fields[name]
  if (Array.isArray(known)) return known
  const list: unknown[] = []
  fields[name] = list
  return list
}

function appendPacked(fields: Fields, field: FieldDescriptor, bytes: Uint8Array, budget: Budget): void {
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    if (--budget.fields < 0) throw malformed(`more than ${MOST_FIELDS} fields`)
    listOf(fields, field.name).push(decodeValue(field.type, VARINT, reader, budget))
  }
}

function setField(fields: Fields, field: FieldDescriptor, value: unknown): void {
  if (field.shape === 'list') listOf(fields, field.name).push(value)
  else if (field.isInline) Object.assign(fields, value)
  else if (value === undefined || (!field.isPointer && (value === '' || value === 0 || value === false))) delete fields[field.name]
  else fields[field.name] = value
}

function setEntry(fields: Fields, field: FieldDescriptor, bytes: Uint8Array, budget: Budget): void {
  let key = ''
  let value: unknown = ''
  eachField(bytes, (number, wire, reader) => {
    if (number === 1 && wire === LENGTH) key = reader.string()
    else if (number === 2) value = decodeValue(field.type, wire, reader, budget)
    else reader.skipType(wire)
  })
  const map = (fields[field.name] ??= {}) as Fields
  // A key may be __proto__.
  Object.defineProperty(map, key, { value, enumerable: true, writable: true, configurable: true })
}

function decodeValue(type: string, wire: number, reader: Reader, budget: Budget): unknown {
  if (wire !== (isVarint(type) ? VARINT : LENGTH)) throw malformed(`wire type ${wire} where ${type} is expected`)
  switch (type) {
    case 'string':
      return reader.string()
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64')
    case 'bool':
      return reader.bool()
    case 'int32':
      return reader.int32()
    case 'int64':
      return Number(reader.int64())
    case 'Time':
    case 'MicroTime':
      return decodeTime(reader.bytes(), type === 'Time' ? 0 : 6)
    case 'IntOrString':
      return decodeIntOrString(reader.bytes())
    case 'Quantity':
      return decodeText(reader.bytes())
    case 'FieldsV1':
      return parseFields(decodeText(reader.bytes()))
    default: {
      const message = messageOf(type)
      if (message === undefined) throw new Error(`no message ${type}`)
      return decodeMessage(reader.bytes(), message, budget)
    }
  }
}

/** The string (or bytes) of a message that has nothing else. */
function decodeText(bytes: Uint8Array): string {
  let text = ''
  eachField(bytes, (number, wire, reader) => {
    if (number === 1 && wire === LENGTH) text = reader.string()
    else reader.skipType(wire)
  })
  return text
}

function parseFields(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw malformed('managed fields are no JSON')
  }
}

function decodeIntOrString(bytes: Uint8Array): number | string {
  let isText = false
  let number = 0
  let text = ''
  eachField(bytes, (field, wire, reader) => {
    if (field === 1 && wire === VARINT) isText = reader.int32() === 1
    else if (field === 2 && wire === VARINT) number = reader.int32()
    else if (field === 3 && wire === LENGTH) text = reader.string()
    else reader.skipType(wire)
  })
  return isText ? text : number
}

/** RFC 3339; undefined for the zero time, which stands for none. */
function decodeTime(bytes: Uint8Array, digits: number): string | undefined {
  let seconds = 0
  let nanos = 0
  eachField(bytes, (field, wire, reader) => {
    if (field === 1 && wire === VARINT) seconds = Number(reader.int64())
    else if (field === 2 && wire === VARINT) nanos = reader.int32()
    else reader.skipType(wire)
  })
  if (seconds === 0 && nanos === 0) return undefined
  const time = new Date(seconds * 1000)
  if (Number.isNaN(time.getTime())) throw malformed('a time out of range')
  const whole = time.toISOString().slice(0, -'.000Z'.length)
  return digits === 0 ? `${whole}Z` : `${whole}.${String(Math.floor(Math.abs(nanos) / 10 ** (9 - digits))).padStart(digits, '0').slice(0, digits)}Z`
}
