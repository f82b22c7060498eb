// What every command gets and answers. A command never ends the process: main.ts does.

export interface CommandContext {
  /** What follows the command's name. */
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard output: results. */
  readonly out: (text: string) => void
  /** Standard error: progress and mistakes. */
  readonly err: (text: string) => void
  /** Ends the process without a drain. */
  readonly exitNow: () => void
}

/** Answers the exit status: 0 done, 1 failed, 2 wrong usage. */
export type CommandFunction = (context: CommandContext) => Promise<number>

/** A failure whose message is all that the user needs: printed without a stack, exit status 1. */
export class CommandError extends Error {}
