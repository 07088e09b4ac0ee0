import type { QuickstartOptions } from './command-line.ts'
import { envoyFor } from './envoy-for.ts'
import { invitationTo, mapOf } from './guide.ts'
import { type Parts, type PartsOptions, startParts } from './parts.ts'
import { anyPorts, choosePorts } from './ports.ts'
import { QuickstartFailure } from './quickstart-failure.ts'
import { exitCodeOf, nextStopSignal } from './stop-signal.ts'
import { countTokenRequests } from './token-requests.ts'
import { walk } from './walk.ts'

const farewell = 'Everything is stopped, nothing is left running. Thank you for trying it!'

/** Runs the whole story; resolves with the exit code, when every part has ended. */
export async function runQuickstart(options: QuickstartOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const say = (line: string) => console.log(line)
  const stopSignal = nextStopSignal()
  const stack = new AsyncDisposableStack()
  const over = new AbortController()
  let starting: Promise<Parts> | undefined
  let keepLog = false
  let serving = false
  let interrupted = false

  async function story(): Promise<number> {
    const partsOptions: PartsOptions = {
      ports: options.once ? anyPorts : await choosePorts(say),
      dexBinary: env['DEX_BIN'],
      envoyBinary: await envoyFor(options, say),
      logLevel: env['LOG_LEVEL'] || 'INFO',
      onLogLine: options.verbose ? line => say(`  broker: ${line}`) : () => {},
      keepLog: () => keepLog,
    }
    over.signal.throwIfAborted()
    starting = startParts(partsOptions, stack)
    const parts = await starting
    over.signal.throwIfAborted()
    const { gateway, backend, dex, broker } = parts
    say(mapOf(parts))
    const scene = { gateway, backend, countTokenRequests: () => countTokenRequests(dex, broker) }
    const { steps, broken } = await Promise.race([walk(scene, say, over.signal), broker.died])
    if (broken > 0) {
      keepLog = true
      say(`\n${broken} of ${steps} steps were not as promised. The broker's log: ${broker.logFile}`)
    } else {
      say(`\nAll ${steps} steps were as promised.`)
    }
    if (options.once) return broken > 0 ? 1 : 0
    say(`\n${invitationTo(parts)}`)
    serving = true
    return broker.died
  }

  try {
    const interruption = stopSignal.then(signal => {
      interrupted = true
      say('\nStopping ...')
      return serving ? 0 : exitCodeOf(signal)
    })
    return await Promise.race([story(), interruption])
  } catch (error) {
    keepLog = true
    const text = error instanceof Error ? error.stack : error
    console.error(error instanceof QuickstartFailure ? `\n${error.message}` : text)
    return 1
  } finally {
    over.abort()
    // A part that is just starting can only be ended when it has started, or failed to.
    await starting?.catch(() => {})
    await stack.disposeAsync()
    if (interrupted) say(farewell)
  }
}
