// The decoders of the real kinds' schemas and messages.
import { decodeProtobuf } from '../protobuf/decode.ts'
import { decodeObject } from '../schemas/decode.ts'
import type { Decoders } from './bodies.ts'

export const decoders: Decoders = { decodeObject, decodeProtobuf }
