// Reads an HTTP/1.x response out of bytes. Written apart from src/http, so that a mistake there is not repeated here.

export interface RawResponse {
  readonly status: number
  readonly reason: string
  /** As received: name, value. */
  readonly fields: readonly (readonly [string, string])[]
  readonly body: string
  readonly trailers: string
  /** Bytes of the whole response. */
  readonly size: number
  /** The first field of that name, any case. */
  field(name: string): string | undefined
}

/** Undefined: more bytes are needed. latin1. */
export function readResponse(bytes: Buffer, toHead: boolean, ended: boolean): RawResponse | undefined {
  const text = bytes.toString('latin1')
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(statusLine)
  if (match === null) throw new Error(`not a status line: ${statusLine}`)
  const fields = lines.map((line): [string, string] => {
    const [, name = '', value = ''] = /^([^\s:]+):(?: (.*))?$/.exec(line) ?? []
    if (name === '') throw new Error(`not a field line: ${line}`)
    return [name, value]
  })
  const field = (name: string) => fields.find(([each]) => each.toLowerCase() === name.toLowerCase())?.[1]
  const status = Number(match[1])
  const body = readBody(text.slice(headEnd + 4), status, field, toHead, ended)
  if (body === undefined) return undefined
  return { status, reason: match[2] ?? '', fields, field, body: body.data, trailers: body.trailers, size: headEnd + 4 + body.size }
}

interface RawBody {
  readonly data: string
  readonly trailers: string
  readonly size: number
}

function readBody(
  text: string,
  status: number,
  field: (name: string) => string | undefined,
  toHead: boolean,
  ended: boolean,
): RawBody | undefined {
  if (toHead || status < 200 || status === 204 || status === 304) return { data: '', trailers: '', size: 0 }
  if (field('transfer-encoding') === 'chunked') return readChunks(text)
  const length = field('content-length')
  if (length === undefined) return ended ? { data: text, trailers: '', size: text.length } : undefined
  return text.length < Number(length) ? undefined : { data: text.slice(0, Number(length)), trailers: '', size: Number(length) }
}

/** Also used for requests. */
export function readChunks(text: string): RawBody | undefined {
  let data = ''
  let position = 0
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position)
    if (lineEnd < 0) return undefined
    const line = text.slice(position, lineEnd)
    if (!/^[0-9a-f]+$/.test(line)) throw new Error(`not a chunk size: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    position = lineEnd + 2
    if (size === 0) break
    if (text.length < position + size + 2) return undefined
    if (text.slice(position + size, position + size + 2) !== '\r\n') throw new Error('no line end after a chunk')
    data += text.slice(position, position + size)
    position += size + 2
  }
  const start = position
  for (;;) {
    const lineEnd = text.indexOf('\r\n', position)
    if (lineEnd < 0) return undefined
    const empty = lineEnd === position
    position = lineEnd + 2
    if (empty) return { data, trailers: text.slice(start, lineEnd), size: position }
  }
}
