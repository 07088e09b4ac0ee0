import { ConfigError } from './config/config-error.ts'

const freePorts: Readonly<Record<string, string>> = {
  LISTEN_ADDR: ':18080',
  ADMIN_ADDR: ':18081',
  GRPC_LISTEN_ADDR: ':18082',
}

/** Describes the fault in a variable whose address cannot be used. */
export function listenFailure(variable: string, address: string, error: unknown): ConfigError {
  const example = `${variable}=${freePorts[variable] ?? ':18080'}`
  return new ConfigError([{ variable, problem: `${address} ${listenProblem(error)}`, example }])
}

/** Says why an address cannot be used, in words that follow it. */
export function listenProblem(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'EADDRINUSE') return 'is already in use'
  if (code === 'EACCES') return 'needs a privilege that this process does not have'
  if (code === 'EADDRNOTAVAIL') return 'is not an address of this machine'
  return `cannot be used (${code})`
}
