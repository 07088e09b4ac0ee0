import { fileURLToPath } from 'node:url'

/** The script behind the command `dex-token-broker`; it may not be built yet. */
export const brokerCommand: string = fileURLToPath(new URL('../../server/dist/command.js', import.meta.url))

/** The script behind the command `terraform-credentials-dex`; it may not be built yet. */
export const terraformHelper: string = fileURLToPath(
  new URL('../../server/dist/terraform-credentials-dex.js', import.meta.url),
)

/** Where a broker listens on 127.0.0.1; port 0 where that is not known, or is off. */
export interface BrokerPorts {
  readonly port: number
  readonly adminPort: number
  /** Of checks over gRPC; without one it is off. */
  readonly grpcPort?: number
}

/** Where a broker listens, by its log in either form; `undefined` before it says so. */
export function listeningPorts(log: string): BrokerPorts | undefined {
  const [line] = /\{[^\n{}]*"check": ?"[^\n{}]*\}/.exec(log) ?? []
  if (line === undefined) return undefined
  const portOf = (listener: string) =>
    Number(new RegExp(`"${listener}": ?"(?:[^"]*:(\\d+)|off)"`).exec(line)?.[1] ?? 0)
  const grpcPort = portOf('grpc')
  return { port: portOf('check'), adminPort: portOf('admin'), ...(grpcPort > 0 && { grpcPort }) }
}
