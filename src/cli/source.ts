// Where routes and explain read from: a running controller's admin server, or files.
import { CommandError } from './command.ts'

export const DEFAULT_ADMIN = 'http://127.0.0.1:10254'

/** GETs JSON of the admin API; throws CommandError when nothing answers there. */
export async function fetchAdmin<T>(admin: string, path: string): Promise<T> {
  let response: Response
  try {
    response = await fetch(new URL(path, admin), { signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    const reason = error instanceof TypeError && error.cause instanceof Error ? error.cause.message : error instanceof Error ? error.message : String(error)
    throw new CommandError(`no controller answers at ${admin} (${reason}); start one with "narthex sandbox", or name its admin port with --admin URL`)
  }
  const body: unknown = await response.json()
  if (response.ok) return body as T
  const reason = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : response.statusText
  throw new CommandError(`${admin}: ${reason}`)
}
