import type { Config } from '../config/config.ts'
import { CheckGroup, finishedGroups } from './check-group.ts'
import { DoctorContext } from './doctor-context.ts'
import { groupText } from './doctor-text.ts'
import { upstreamsOf } from './upstream.ts'
import { checkUpstream } from './upstream-checks.ts'

/**
 * Tells why discovery or a key set is missing, and what to do: the checks of Dex and of the issuers that do not pass, at most
 * HTTP_TIMEOUT long each.
 */
export async function missingText(config: Config, timeoutMs: number): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  await using context = new DoctorContext(config, signal)
  const groups = upstreamsOf(context).map(
    upstream => new CheckGroup(upstream.title, report => checkUpstream(context, upstream, report)),
  )
  const texts: string[] = []
  for await (const { title, results } of finishedGroups(groups, signal)) {
    const problems = results.filter(({ verdict }) => verdict === 'failed' || verdict === 'warning')
    if (problems.length > 0) texts.push(groupText({ title, results: problems }, { hasColours: false }))
  }
  if (texts.length === 0)
    return 'Every check passes now; the next attempt of the broker loads what is missing.\n'
  return `${texts.join('').trimEnd()}\n`
}
