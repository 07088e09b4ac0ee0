import { createServer } from 'node:net'
import { AddressListener } from '../address-listener.ts'
import type { Config } from '../config/config.ts'
import type { ListenAddress } from '../config/values/listen-address.ts'
import { listenProblem } from '../listen-failure.ts'
import { failed, ok, type Report, skipped, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import { type ListenerKind, listenerOwner } from './listener-owner.ts'

interface WantedListener {
  readonly variable: string
  readonly kind: ListenerKind
  readonly where: ListenAddress | undefined
  readonly hasTls: boolean
}

/** Tells whether the addresses of the listeners are free, and who answers where they are not. */
export async function checkListeners(context: DoctorContext, report: Report): Promise<void> {
  for (const listener of listenersOf(context.config)) await checkListener(context, listener, report)
}

function listenersOf({ listen, grpc, admin, tls, adminTls }: Config): readonly WantedListener[] {
  return [
    { variable: 'LISTEN_ADDR', kind: 'check', where: listen, hasTls: tls !== undefined },
    { variable: 'GRPC_LISTEN_ADDR', kind: 'grpc', where: grpc, hasTls: tls !== undefined },
    { variable: 'ADMIN_ADDR', kind: 'admin', where: admin, hasTls: adminTls !== undefined },
  ]
}

async function checkListener(
  context: DoctorContext,
  { variable, kind, where, hasTls }: WantedListener,
  report: Report,
): Promise<void> {
  if (where === undefined) {
    report(skipped(variable, 'off'))
    return
  }
  const listener = new AddressListener(
    variable,
    () => {
      const server = createServer()
      return {
        server,
        stop: () => new Promise(resolve => server.close(() => resolve(true))),
      }
    },
    where,
  )
  try {
    await listener.start()
    await listener.stop(0)
    report(ok(variable, `${listener.address} is free`))
  } catch (error) {
    const problem = `${listener.address} ${listenProblem(error)}`
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') {
      report(failed(variable, problem, `set ${variable} to an address that this process may use`))
      return
    }
    const advice = `stop what uses the port, or set ${variable} to another`
    // A broker with TLS may ask for a certificate that is not here.
    if (hasTls) {
      report(warning(variable, `${problem}, perhaps by the broker itself`, `if no broker runs, ${advice}`))
      return
    }
    const owner = await listenerOwner(kind, where, context.deadline())
    report(
      owner === 'broker'
        ? ok(variable, `${problem} by a running dex-token-broker`)
        : warning(variable, `${problem} by ${owner}`, advice),
    )
  }
}
