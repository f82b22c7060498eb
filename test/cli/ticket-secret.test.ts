import { expect, test } from 'vitest'
import { followTicketSecret } from '../../src/cli/ticket-secret.ts'
import { trim } from '../../src/kube/trim.ts'
import type { Secret } from '../../src/kube/objects.ts'

function secrets(key?: string): ReadonlyMap<string, Secret> {
  const secret = trim('Secret', { metadata: { name: 'tickets', namespace: 'dev' }, data: key === undefined ? {} : { 'ticket.key': Buffer.from(key).toString('base64') } })
  return secret?.kind === 'Secret' ? new Map([['dev/tickets', secret]]) : new Map()
}

test('follows the key of the Secret, says once when there is none, and never shows it', () => {
  const used: (string | undefined)[] = []
  const lines: string[] = []
  const follow = followTicketSecret('dev/tickets', (level, message, facts) => lines.push(`${level} ${message} ${JSON.stringify(facts)}`), (secret) => used.push(secret === undefined ? undefined : Buffer.from(secret).toString()))
  const [first, second] = ['a'.repeat(32), 'b'.repeat(40)]
  for (const key of [undefined, undefined, 'short', first, first, second, 'short', first]) follow(secrets(key))
  expect(used).toEqual([first, second, undefined, first])
  expect(lines).toHaveLength(2)
  expect(lines.join()).not.toMatch(/aaaa|bbbb|short/)
})

test('without the option nothing is followed', () => {
  followTicketSecret('', () => expect.unreachable(), () => expect.unreachable())(secrets())
})
