import type { Config } from '../config/config.ts'
import { CheckGroup } from './check-group.ts'
import { checkClientTokens } from './client-tokens.ts'
import type { DoctorContext } from './doctor-context.ts'
import { checkGate } from './gate.ts'
import { checkListeners } from './listeners.ts'
import { checkOwnCertificates } from './own-certificates.ts'
import { checkSharedStore } from './shared-store.ts'
import { checkTokenExchanges } from './token-exchanges.ts'
import { type Upstream, upstreamsOf } from './upstream.ts'
import { checkUpstream, type FoundUpstream } from './upstream-checks.ts'

/** Starts every check of a valid configuration, in groups in the order of the report. */
export function startChecks(context: DoctorContext): readonly CheckGroup<unknown>[] {
  const upstreams = upstreamGroups(context)
  const dex = upstreams[0]
  const upstreamOf = async (name: string | undefined): Promise<FoundUpstream | undefined> => {
    const prefix = name === undefined ? '' : `issuers.${name}.`
    return (upstreams.find(({ upstream }) => upstream.optionPrefix === prefix) ?? dex)?.group.found
  }
  const { exchanges = [] } = context.config.file ?? ({} as Partial<NonNullable<Config['file']>>)
  return [
    ...upstreams.map(({ group }) => group),
    new CheckGroup('Clients', async report => {
      await checkClientTokens(context, upstreamOf, report)
      if (exchanges.length > 0) await checkTokenExchanges(context, await dex?.group.found, report)
    }),
    new CheckGroup('Gate', async report => checkGate(context, report)),
    new CheckGroup('Shared store', async report => checkSharedStore(context, report)),
    new CheckGroup('Listeners', async report => {
      await checkListeners(context, report)
      checkOwnCertificates(context, report)
    }),
  ]
}

interface UpstreamGroup {
  readonly upstream: Upstream
  readonly group: CheckGroup<FoundUpstream>
}

function upstreamGroups(context: DoctorContext): readonly UpstreamGroup[] {
  return upstreamsOf(context).map(upstream => ({
    upstream,
    group: new CheckGroup(upstream.title, report => checkUpstream(context, upstream, report)),
  }))
}
