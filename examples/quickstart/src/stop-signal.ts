/** npm and pnpm pass on the Ctrl-C that the terminal has sent to everybody already: so soon it is the same one. */
const echoMs = 500

/** The numbers that shells add to 128 for a process that a signal ended. */
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }

export type StopSignal = keyof typeof exitCodes

export function exitCodeOf(signal: StopSignal): number {
  return exitCodes[signal]
}

/** Resolves when somebody wants this process to end; who insists ends it at once. */
export function nextStopSignal(): Promise<StopSignal> {
  return new Promise(resolve => {
    let since: number | undefined
    for (const signal of Object.keys(exitCodes) as StopSignal[]) {
      process.on(signal, () => {
        if (since !== undefined && performance.now() - since > echoMs) process.exit(exitCodes[signal])
        since ??= performance.now()
        resolve(signal)
      })
    }
  })
}
