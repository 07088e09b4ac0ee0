import { explain } from '../explain/explain.ts'
import { answerText } from '../explain/explain-text.ts'
import { failed, ok, type Report } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'

/** Tells which rule decides about a request with an accepted JWT, by the code of `explain`. */
export async function checkMatchingRule(
  { config }: DoctorContext,
  jwt: string,
  { method, path }: { readonly method: string; readonly path: string },
  report: Report,
): Promise<void> {
  const explained = await explain(config, { caller: { jwt }, method, path, headers: [], context: {} })
  const deciding =
    explained.rules?.findIndex(({ outcome }) => outcome !== 'not matched' && outcome !== 'not reached') ?? -1
  const rule = explained.rules?.[deciding]
  const decided =
    rule === undefined
      ? explained.rules === undefined
        ? ''
        : 'no rule matches; '
      : `rule ${deciding + 1}, ${rule.rule}; `
  const fact = `${method} ${path}: ${decided}${answerText(explained)}`
  report(
    explained.verdict.outcome === 'allow'
      ? ok('rule', fact)
      : failed('rule', fact, 'see dex-token-broker explain for each rule'),
  )
}
