// narthex run: the controller against a cluster.
import { parseConfig } from '../config/parse.ts'
import { connect } from '../kube/connection.ts'
import { CommandError, type CommandFunction } from './command.ts'
import { createLogger } from './logger.ts'
import { listenForStop } from './signals.ts'
import { startController } from './start-controller.ts'

export const run: CommandFunction = async ({ args, env, err, exitNow }) => {
  const parsed = parseConfig('run', args, env)
  const { config } = parsed
  const log = createLogger(config.logLevel)
  const { stopped } = listenForStop(exitNow)
  const connection = await connect({ kubeconfig: config.kubeconfig, context: config.context }).catch((error: Error) => {
    throw new CommandError(error.message)
  })
  log('info', 'serving a cluster', { server: connection.server, from: connection.from })
  const controller = await startController(parsed, connection, log)
  const address = config.address === '' ? '*' : config.address
  void controller.ready.then(() => {
    const { http, https, admin } = controller.ports
    err(`narthex: http=${address}:${http} https=${address}:${https} admin=${config.adminAddress === '' ? address : config.adminAddress}:${admin} ready\n`)
  })
  const failed = controller.ready.then(() => new Promise<never>(() => undefined))
  const signal = await Promise.race([stopped, failed])
  log('info', 'draining', { signal })
  const cut = await controller.drain()
  if (cut > 0) log('warn', 'connections cut at the end of the drain', { connections: cut })
  await controller.close()
  return 0
}
