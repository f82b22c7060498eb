// Latency of each scheduler as an SVG: a line from p50 to p99, for two sets of weights, on a logarithmic scale.
import type { Simulated } from './simulate-queue.ts'

export interface PlotRow {
  readonly name: string
  readonly even: Simulated
  readonly bySpeed: Simulated
}

const WIDTH = 760
const LEFT = 70
const RIGHT = 30
const TOP = 74
const ROW = 30
const COLOURS = { even: '#c2410c', bySpeed: '#1d4ed8' } as const

export function plot(rows: readonly PlotRow[]): string {
  const ticks = [10, 30, 100, 300, 1000, 3000, 10_000]
  const height = TOP + rows.length * ROW + 40
  const [low, high] = [Math.log(8), Math.log(12_000)]
  const x = (ms: number): string => (LEFT + ((Math.min(Math.log(ms), high) - low) / (high - low)) * (WIDTH - LEFT - RIGHT)).toFixed(1)
  const range = ({ p50, p99 }: Simulated, y: number, colour: string): string =>
    `<line x1="${x(p50)}" x2="${x(p99)}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2"/>` +
    `<circle cx="${x(p50)}" cy="${y}" r="3.5" fill="#fff" stroke="${colour}" stroke-width="1.5"/><circle cx="${x(p99)}" cy="${y}" r="4" fill="${colour}"/>`
  const legend = (at: number, colour: string, text: string): string => `<circle cx="${at}" cy="40" r="4" fill="${colour}"/><text x="${at + 9}" y="44">${text}</text>`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="12" fill="#1f2937">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${LEFT}" y="22" font-size="14" font-weight="600">Latency by scheduler, p50 (ring) to p99 (dot), milliseconds</text>`,
    legend(LEFT + 4, COLOURS.even, 'all weights 1'),
    legend(LEFT + 124, COLOURS.bySpeed, 'weights as the speeds'),
    ...ticks.map((ms) => `<line x1="${x(ms)}" x2="${x(ms)}" y1="${TOP - 10}" y2="${height - 32}" stroke="#e5e7eb"/><text x="${x(ms)}" y="${height - 14}" text-anchor="middle">${ms}</text>`),
    ...rows.map(({ name, even, bySpeed }, i) => {
      const y = TOP + i * ROW + 8
      return `<text x="${LEFT - 12}" y="${y + 4}" text-anchor="end">${name}</text>${range(even, y - 5, COLOURS.even)}${range(bySpeed, y + 5, COLOURS.bySpeed)}`
    }),
    '</svg>\n',
  ].join('\n')
}
