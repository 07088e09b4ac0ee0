import { fileURLToPath } from 'node:url'

/** The script behind the command `dex-token-broker`; it may not be built yet. */
export const brokerCommand: string = fileURLToPath(new URL('../../server/dist/command.js', import.meta.url))

/** Where a broker listens on 127.0.0.1; port 0 where that is not known, or is off. */
export interface BrokerPorts {
  readonly port: number
  readonly adminPort: number
}

/** Where a broker listens, by its log in either form; `undefined` before it says so. */
export function listeningPorts(log: string): BrokerPorts | undefined {
  const address = /"?check"?:\s*"[^"]*:(\d+)",\s*"?admin"?:\s*"(?:[^"]*:(\d+)|off)"/
  const [, port, adminPort] = address.exec(log) ?? []
  return port === undefined ? undefined : { port: Number(port), adminPort: Number(adminPort ?? 0) }
}
