// Quantities in their canonical form: a table from Kubernetes' own rules, and that the form means the same and is stable.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalQuantity } from '../../../../src/sandbox/api-server/schemas/quantity.ts'

test.each([
  ['0', '0'], ['0m', '0'], ['1', '1'], ['0.5', '500m'], ['1000m', '1'], ['1500m', '1500m'], ['.5', '500m'], ['5.', '5'], ['-1.5', '-1500m'],
  ['1024Mi', '1Gi'], ['1.5Gi', '1536Mi'], ['512Ki', '512Ki'], ['0.1Ki', '102400m'], ['1048576', '1048576'], ['2000k', '2M'],
  ['100e3', '100e3'], ['1E', '1E'], ['1e-3', '1e-3'], ['1.0000000001', '1000000001n'],
])('%s is %s', (text, canonical) => expect(canonicalQuantity(text)).toBe(canonical))

test.each(['', '.', 'Gi', '1 Gi', '1gi', '1Kib', '--1', '1e', '0x10', '1e9999', '9'.repeat(101)])('%j is none', text => expect(canonicalQuantity(text)).toBeUndefined())

const UNITS: Readonly<Record<string, number>> = { '': 1, 'm': 1e-3, 'k': 1e3, 'M': 1e6, 'G': 1e9, 'T': 1e12, 'P': 1e15, 'E': 1e18, 'u': 1e-6, 'n': 1e-9, 'Ki': 2 ** 10, 'Mi': 2 ** 20, 'Gi': 2 ** 30, 'Ti': 2 ** 40, 'Pi': 2 ** 50, 'Ei': 2 ** 60 }

function amount(text: string): number {
  const [, number = '', unit = ''] = /^([-+.\d]+)(\D*)$/.exec(text) ?? []
  return Number(number) * (UNITS[unit] ?? Number.NaN)
}

test('the canonical form is the same amount, and its own canonical form', () => {
  const anyQuantity = fc.tuple(fc.integer({ min: 0, max: 1e6 }), fc.option(fc.integer({ min: 0, max: 999 })), fc.constantFrom('', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi'))
  fc.assert(
    fc.property(anyQuantity, ([whole, fraction, unit]) => {
      const text = `${whole}${fraction === null ? '' : `.${fraction}`}${unit}`
      const canonical = canonicalQuantity(text) ?? ''
      expect(amount(canonical) / (amount(text) || 1)).toBeCloseTo(amount(text) === 0 ? 0 : 1, 10)
      expect(canonicalQuantity(canonical)).toBe(canonical)
    }),
    { seed: 1, numRuns: 500 },
  )
})
