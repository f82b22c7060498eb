// The judge: what a stock Kubernetes 1.36 API server answered to 109 recorded kubectl commands, replayed in order with real kubectl.
import { beforeAll, describe, expect, it } from 'vitest'
import { covers, exceptions } from './support/recording-exceptions.ts'
import { replay } from './support/recording-replay.ts'
import type { Replay } from './support/recording-replay.ts'
import { beyond, outside } from './support/recording-scope.ts'
import { readRecordings, recordingsFolder } from './support/recordings.ts'

const recordings = readRecordings()

if (recordings === undefined) {
  const isCi = (process.env['CI'] ?? '') !== '' && process.env['CI'] !== 'false'
  it(`the API server against the recordings: ${isCi ? 'needs' : 'left out, there is no'} ${recordingsFolder}`, () => {
    expect(isCi, `${recordingsFolder} is missing`).toBe(false)
    // The default reporter folds names of tests that pass.
    process.stdout.write(`left out: the API server against the recordings of a real one, there is no ${recordingsFolder}\n`)
  })
} else {
  describe('recorded commands', () => {
    let result: Replay

    beforeAll(async () => {
      result = await replay(recordings)
      const same = [...result.differences.values()].filter((found) => found.length === 0).length
      process.stdout.write(`recordings: ${same} of ${recordings.length} commands answered equally, ${recordings.length - same} with listed exceptions, in ${(result.milliseconds / 1000).toFixed(1)} s\n`)
    }, 120_000)

    it.each(recordings.map(({ name, command }) => ({ name, command })))('$name: $command', ({ name }) => {
      const found = result.differences.get(name) ?? []
      expect(found.filter((difference) => !exceptions.some((exception) => covers(exception, difference)))).toEqual([])
    })

    it.each(exceptions)('exception for $command is still needed: $reason', (exception) => {
      const found = result.differences.get(exception.command) ?? []
      for (const place of exception.where) expect(found.filter((difference) => covers({ ...exception, where: [place] }, difference)), place).not.toEqual([])
    })

    it('names nothing as outside its scope that it serves', () => {
      const patterns = outside.flatMap(({ names }) => names)
      for (const name of result.served) {
        if (beyond.some((pattern) => name.startsWith(pattern.slice(0, -1)))) continue
        expect(patterns.filter((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name)), name).toEqual([])
      }
    })
  })
}
