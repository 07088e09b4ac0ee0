import { connect } from 'node:net'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

/** Where to connect to. */
export interface HostPort {
  readonly host: string
  readonly port: number
  readonly addresses: readonly string[]
  /** An instruction for the system's code of a failure. */
  readonly adviceFor: (code: string | undefined) => string | undefined
}

/** More addresses than any service that a test of each is meant for. */
const maxTried = 8

/** Connects to each address; returns whether one accepts. */
export async function checkConnection(
  context: DoctorContext,
  { host, port, addresses, adviceFor }: HostPort,
  report: Report,
): Promise<boolean> {
  const tried = addresses.slice(0, maxTried)
  const codes = await Promise.all(tried.map(address => connectionFailure(context, address, port)))
  const name = `connection ${host}:${port}`
  const failures = tried.flatMap((address, index) =>
    codes[index] === undefined ? [] : `${address} ${codes[index]}`,
  )
  if (failures.length === 0) {
    report(ok(name, tried.length === 1 ? 'accepted' : `accepted at ${tried.length} addresses`))
  } else if (failures.length < tried.length) {
    report(
      warning(
        name,
        `accepted at ${tried.length - failures.length} of ${tried.length} addresses; failed: ${failures.join(', ')}`,
        'check the server behind the failing address, or remove it from DNS: connections to it are lost time',
      ),
    )
  } else {
    const [code] = codes
    report(failed(name, problemOf(code), adviceFor(code)))
  }
  return failures.length < tried.length
}

function problemOf(code: string | undefined): string {
  if (code === 'ECONNREFUSED') return 'refused: nothing listens there (ECONNREFUSED)'
  return code === 'ETIMEDOUT' ? 'timed out (ETIMEDOUT)' : `failed (${code})`
}

/** Resolves with the system's code, or `undefined` for a connection. */
function connectionFailure(context: DoctorContext, host: string, port: number): Promise<string | undefined> {
  const signal = context.deadline()
  return new Promise(resolve => {
    const socket = connect({ host, port, signal })
    socket.once('connect', () => {
      resolve(undefined)
      socket.destroy()
    })
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(signal.aborted ? 'ETIMEDOUT' : (error.code ?? 'unknown error')),
    )
  })
}
