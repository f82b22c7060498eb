// The access log of one pod: what `kubectl logs` prints. Bounded in lines and in the length of a line.
export interface LogLine {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly text: string
}

export interface PodLog {
  append(at: number, text: string): void
  lines(): readonly LogLine[]
  /** Calls back for each further line; `ended` once the pod is gone. The answer stops it. */
  follow(line: (line: LogLine) => void, ended: () => void): () => void
  end(): void
}

const MOST_LINES = 500
const LONGEST_LINE = 2000

export function createPodLog(): PodLog {
  const kept: LogLine[] = []
  const followers = new Set<{ line: (line: LogLine) => void; ended: () => void }>()
  let over = false
  return {
    append(at, text) {
      const line = { at, text: text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE)}…` : text }
      kept.push(line)
      // Cut in bulk: shifting one at a time would copy the array for every request.
      if (kept.length >= 2 * MOST_LINES) kept.splice(0, MOST_LINES)
      for (const follower of followers) follower.line(line)
    },
    lines: () => kept.slice(-MOST_LINES),
    follow(line, ended) {
      const follower = { line, ended }
      if (over) ended()
      else followers.add(follower)
      return () => followers.delete(follower)
    },
    end() {
      over = true
      for (const follower of followers) follower.ended()
      followers.clear()
    },
  }
}

/** One request in the combined log format; control characters and quotes as nginx escapes them. */
export function accessLine(facts: {
  readonly client: string
  readonly at: Date
  readonly request: string
  readonly status: number
  readonly bytes: number
  readonly referer: string
  readonly userAgent: string
}): string {
  return `${facts.client} - - [${clfTime(facts.at)}] "${escaped(facts.request)}" ${facts.status} ${facts.bytes} "${escaped(facts.referer)}" "${escaped(facts.userAgent)}"`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function clfTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${two(at.getUTCDate())}/${MONTHS[at.getUTCMonth()] ?? ''}/${at.getUTCFullYear()}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}

function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]|["\\]/g, (character) => `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
}
