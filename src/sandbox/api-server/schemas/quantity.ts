// Resource quantities (500m, 1Gi) in the one form that the API server answers, whatever form they were sent in.

const PATTERN = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3})|(Ki|Mi|Gi|Ti|Pi|Ei|n|u|m|k|M|G|T|P|E))?$/
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']
/** Nothing is counted finer than in billionths. */
const NANO = 1_000_000_000n
const LONGEST = 100

/** `0.5` is `500m`, `1024Mi` is `1Gi`; undefined for what is no quantity. */
export function canonicalQuantity(text: string): string | undefined {
  const match = text.length <= LONGEST ? PATTERN.exec(text) : null
  const [, sign = '', whole = '', fraction = '', exponent, suffix = ''] = match ?? []
  if (match === null || whole + fraction === '') return undefined
  const binary = BINARY.indexOf(suffix)
  const isBinary = binary > 0
  const power = exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent)
  const nanos = isBinary ? scale(BigInt(whole + fraction) * 1024n ** BigInt(binary), 9 - fraction.length) : scale(BigInt(whole + fraction), 9 - fraction.length + power)
  if (nanos === 0n) return '0'
  const minus = sign === '-' ? '-' : ''
  if (isBinary && nanos >= 1024n * NANO && nanos % NANO === 0n) return minus + withBinarySuffix(nanos / NANO)
  return minus + withDecimalSuffix(nanos, exponent !== undefined)
}

/** times 10 to the `power`, rounded up. */
function scale(value: bigint, power: number): bigint {
  if (power >= 0) return value * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (value + divisor - 1n) / divisor
}

function withBinarySuffix(value: bigint): string {
  let index = 0
  while (index < BINARY.length - 1 && value % 1024n === 0n) {
    value /= 1024n
    index++
  }
  return `${value}${BINARY[index]}`
}

function withDecimalSuffix(nanos: bigint, asExponent: boolean): string {
  let value = nanos
  let power = -9
  while (power < 18 && value % 1000n === 0n) {
    value /= 1000n
    power += 3
  }
  if (asExponent) return power === 0 ? String(value) : `${value}e${power}`
  return `${value}${Object.keys(DECIMAL).find(name => DECIMAL[name] === power) ?? ''}`
}
