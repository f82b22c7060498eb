// SIGTERM and SIGINT: the first one asks for a drain, a second one ends the process at once.

export interface StopSignal {
  /** Resolves with the signal's name. */
  readonly stopped: Promise<string>
}

export function listenForStop(exitNow: () => void): StopSignal {
  let asked = false
  const stopped = new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (asked) exitNow()
        asked = true
        resolve(name)
      })
    }
  })
  return { stopped }
}
