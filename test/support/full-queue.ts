// A port that listens and never accepts; with its queue full, connection attempts are left without an answer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const SCRIPT = `
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
held = []
for _ in range(3):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    held.append(client)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`

export async function fullQueue(): Promise<{ readonly port: number; close(): void }> {
  const listener = spawn('python3', ['-c', SCRIPT])
  const [port] = await once(listener.stdout, 'data')
  return { port: Number(String(port)), close: () => void listener.stdin.end() }
}
