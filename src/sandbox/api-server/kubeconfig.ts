// A kubeconfig for the sandbox's API: one cluster, user and context.
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'

const contextName = 'narthex-sandbox'

/** Writes it readable for the owner only, whole or not at all; makes the directory. Throws what the file system throws. */
export async function writeKubeconfig(path: string, url: string): Promise<void> {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: contextName, cluster: { server: url } }],
    users: [{ name: contextName, user: {} }],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
    'current-context': contextName,
  }
  await mkdir(dirname(path), { recursive: true })
  // JSON is YAML: kubectl and client libraries read it.
  const text = `${JSON.stringify(config, undefined, 2)}\n`
  // A rename would put a file in the place of a device or pipe: `/dev/null` for root.
  const held = await stat(path).catch(() => undefined)
  if (held !== undefined && !held.isFile() && !held.isDirectory()) return writeFile(path, text)
  const temporary = `${path}.${process.pid}.tmp`
  await writeFile(temporary, text, { mode: 0o600 })
  await rename(temporary, path)
}
