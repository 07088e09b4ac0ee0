import { fileURLToPath } from 'node:url'
import { brokerCommand, freePort, listeningPorts, ManagedProcess } from '@broker/testing'

/**
 * The servers under measurement: our server, a bare `node:http` server, and the Go service. In modes of gRPC: our server, the same over
 * HTTP, and a bare grpc-go server.
 */
export type ContenderName = 'ours' | 'bare' | 'go' | 'http' | 'grpc-go'

/** A server under measurement, in a separate process. */
export interface Contender extends AsyncDisposable {
  readonly name: ContenderName
  readonly pid: number
  readonly port: number
  /** Its output so far. */
  log(): string
}

type Environment = Readonly<Record<string, string>>

/** The Go service that the broker succeeds, named by PEER_BIN. */
export const goServiceBinary: string | undefined = process.env['PEER_BIN'] || undefined

/** A bare grpc-go server, named by GRPC_PEER_BIN: it decodes each check, and gives the answer in the file ANSWER_FILE. */
export const grpcGoBinary: string | undefined = process.env['GRPC_PEER_BIN'] || undefined

/** The script of the floor; its argument is the headers to answer, as JSON. */
export const bareScript: string = fileURLToPath(new URL('bare-server.ts', import.meta.url))

const loopback = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: '127.0.0.1:0' }

/** Our command with these variables and no others; checks over HTTP. */
export async function startOurs(
  environment: Environment,
  name: 'ours' | 'http' = 'ours',
): Promise<Contender> {
  const env = { ...loopback, ...environment }
  const child = new ManagedProcess('the broker', process.execPath, [brokerCommand], { env })
  return contender(name, child, () => listeningPorts(child.log)?.port)
}

/** The same, with the port of checks over gRPC. */
export async function startOursOverGrpc(environment: Environment): Promise<Contender> {
  const env = { ...loopback, GRPC_LISTEN_ADDR: '127.0.0.1:0', ...environment }
  const child = new ManagedProcess('the broker', process.execPath, [brokerCommand], { env })
  return contender('ours', child, () => listeningPorts(child.log)?.grpcPort)
}

/** The bare grpc-go server, with the answer that it is to give. */
export async function startGrpcGo(binary: string, answerFile: string): Promise<Contender> {
  const env = { LISTEN_ADDR: '127.0.0.1:0', ANSWER_FILE: answerFile }
  const child = new ManagedProcess('the grpc-go server', binary, [], { env })
  return contender('grpc-go', child, () => barePort(child.log))
}

/** The floor, with the headers that it is to answer. */
export async function startBare(headers: Readonly<Record<string, string>>): Promise<Contender> {
  const child = new ManagedProcess('the bare server', process.execPath, [bareScript, JSON.stringify(headers)])
  return contender('bare', child, () => barePort(child.log))
}

/** The Go service with the same variables as ours: it has the same names. */
export async function startGo(binary: string, environment: Environment): Promise<Contender> {
  const port = await freePort()
  const child = new ManagedProcess('the Go service', binary, [], {
    env: { LISTEN_ADDR: `127.0.0.1:${port}`, ALLOW_INSECURE_DEX_URL: 'true', ...environment },
  })
  return contender('go', child, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined)
    await response?.text()
    return response?.ok ? port : undefined
  })
}

async function contender(
  name: ContenderName,
  child: ManagedProcess,
  listening: () => Promise<number | undefined> | number | undefined,
): Promise<Contender> {
  const stop = () => child[Symbol.asyncDispose]()
  try {
    const port = await child.until('it listened', listening)
    return { name, pid: child.pid, port, log: () => child.log, [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The port of the bare server, as it prints it. */
export function barePort(log: string): number | undefined {
  return log.endsWith('}\n') ? (JSON.parse(log) as { port: number }).port : undefined
}
