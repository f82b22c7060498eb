// Text that a program writes into a document, between two marks: `<!-- NAME -->` and `<!-- end of NAME -->`.
import { readFileSync, writeFileSync } from 'node:fs'

export function replaceBetween(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `\n<!-- end of ${name} -->`]
  const from = document.indexOf(begin)
  const to = document.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`the document lacks the marks of ${name}`)
  return `${document.slice(0, from + begin.length)}${text}${document.slice(to)}`
}

export function writeInto(path: string, parts: Readonly<Record<string, string>>): void {
  let document = readFileSync(path, 'utf8')
  for (const [name, text] of Object.entries(parts)) document = replaceBetween(document, name, text)
  writeFileSync(path, document)
}
