// A port that can't be had, in words that name the option.
import { CommandError } from './command.ts'

/** Runs `listen`; its EADDRINUSE, EACCES and EADDRNOTAVAIL become a CommandError. `flag` may depend on the port that failed. */
export async function namingPort<T>(flag: string | ((port: number) => string), address: string, port: number, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error
    const failed = 'port' in error && typeof error.port === 'number' ? error.port : port
    const option = typeof flag === 'string' ? flag : flag(failed)
    const where = `port ${failed} on ${address === '' ? 'all addresses' : address}`
    if (error.code === 'EADDRINUSE') throw new CommandError(`${where} is in use; choose another with ${option} (0: any free one)`)
    if (error.code === 'EACCES') throw new CommandError(`${where} may not be opened by this user; choose one above 1023 with ${option}, or grant NET_BIND_SERVICE`)
    if (error.code === 'EADDRNOTAVAIL') throw new CommandError(`${address} is not an address of this machine; choose another with --address`)
    throw error
  }
}
