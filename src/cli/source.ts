// Where routes, explain and sandbox services read from: a running controller's admin server, a running sandbox.
import { CommandError } from './command.ts'

export const DEFAULT_ADMIN = 'http://127.0.0.1:10254'
export const DEFAULT_SANDBOX = 'http://127.0.0.1:6443'

/** GETs JSON of the admin API; throws CommandError when nothing answers there. */
export async function fetchAdmin<T>(admin: string, path: string): Promise<T> {
  const response = await get(admin, path, {}, (reason) => `no controller answers at ${admin} (${reason}); start one with "narthex sandbox", or name its admin port with --admin URL`)
  const body: unknown = await response.json()
  if (response.ok) return body as T
  const reason = typeof body === 'object' && body !== null && 'error' in body ? String(body.error) : response.statusText
  // 400 is about what was asked, not about whom.
  throw new CommandError(response.status === 400 ? reason : `${admin}: ${reason}`)
}

/** GETs text of a sandbox's API; throws CommandError when none answers there. */
export async function fetchSandbox(api: string, path: string, accept: string): Promise<string> {
  const response = await get(api, path, { accept }, (reason) => `no sandbox answers at ${api} (${reason}); start one with "narthex sandbox", or name its API with --api URL`)
  if (response.ok) return response.text()
  throw new CommandError(response.status === 404 ? `${api} is no sandbox whose Services answer` : `${api}: ${response.statusText}`)
}

async function get(server: string, path: string, headers: Readonly<Record<string, string>>, complaint: (reason: string) => string): Promise<Response> {
  try {
    return await fetch(new URL(path, server), { headers, signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    const reason = error instanceof TypeError && error.cause instanceof Error ? error.cause.message : error instanceof Error ? error.message : String(error)
    throw new CommandError(complaint(reason))
  }
}
