import type { Settings } from './command-line.ts'

/** One sentence about a start that failed, with what to do; never a stack. */
export function startFailure(error: unknown, { hostname, port }: Settings): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `port ${port} of ${hostname} is taken: choose another with --port`
  if (code === 'EACCES' && port < 1024 && port > 0)
    return `port ${port} needs more rights: choose another with --port`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${hostname} is not an address of this machine: correct --host`
  return message
}
