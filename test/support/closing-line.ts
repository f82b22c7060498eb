// Prints the counts as one plain line at the very end, and fails a run in CI that skipped anything.
import type { Reporter, TestModule } from 'vitest/node'

export class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    for (const module of modules) for (const test of module.children.allTests()) counts[stateOf(test.result().state)]++
    // After the default reporter's summary.
    process.once('exit', () => process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`))
    if (process.env['CI'] === 'true' && counts.skipped > 0) {
      process.stderr.write('tests: in CI nothing may be skipped\n')
      process.exitCode = 1
    }
  }
}

function stateOf(state: 'passed' | 'failed' | 'skipped' | 'pending'): 'passed' | 'failed' | 'skipped' {
  return state === 'pending' ? 'skipped' : state
}
