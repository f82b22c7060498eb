// Field sections of HTTP/2 as their reader would hand them over.
import { FieldList } from '../../src/http/http2/field-list.ts'
import { Field, FieldName } from '../../src/http/http2/field.ts'

export type Fields = readonly (readonly [name: string, value: string])[]

export function fieldList(fields: Fields): FieldList {
  const list = new FieldList()
  for (const [name, value] of fields) list.add(new Field(new FieldName(name), value))
  return list
}
