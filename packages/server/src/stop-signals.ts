/** Handles a signal that asks the process to stop. */
export type StopHandler = (signal: NodeJS.Signals) => void

// Before the broker runs, there is nothing to finish.
let handle: StopHandler = () => process.exit(0)

/**
 * Catches SIGTERM and SIGINT from now on: until `onStopSignal` names a handler, they end the process with 0. Ignores SIGUSR1, and SIGHUP and
 * SIGUSR2 until the server handles them.
 *
 * The kernel drops a signal that process 1 of a container does not handle, so this comes before anything is loaded.
 */
export function catchStopSignals(): void {
  process.on('SIGTERM', signal => handle(signal))
  process.on('SIGINT', signal => handle(signal))
  // Node would end the process, but a sender of SIGHUP expects a reload. That has to wait for the start.
  process.on('SIGHUP', () => {})
  // It would end the process as well; it turns DEBUG on as soon as the server runs.
  process.on('SIGUSR2', () => {})
  // Node would open its debugger, through which every local process reads all tokens and secrets.
  process.on('SIGUSR1', () => {})
}

/** Sets the handler for stop signals from now on. */
export function onStopSignal(handler: StopHandler): void {
  handle = handler
}
