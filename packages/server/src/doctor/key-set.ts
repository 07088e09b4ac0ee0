import { type KeySetReading, problemOfStatus, readKeySet } from '@broker/core/diagnosis'
import { shownUrl } from '@broker/core/options'
import { describeHint } from '../describe-hint.ts'
import { failed, ok, type Report, warning } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import type { Upstream } from './upstream.ts'
import { askUpstream, kindOf, type UpstreamAnswer } from './upstream-answer.ts'

const name = 'key set'
const maxListed = 8

/** A key set, and the answer that had it. */
export interface LoadedKeySet {
  readonly keys: KeySetReading
  readonly answer: UpstreamAnswer
}

/** Checks how many keys of a key set the broker can use, and why it ignores the others. */
export async function checkKeySet(
  context: DoctorContext,
  {
    upstream,
    url,
    option,
  }: { readonly upstream: Upstream; readonly url: string; readonly option: 'jwksUri' | 'issuer' },
  report: Report,
): Promise<LoadedKeySet | undefined> {
  const answer = await askUpstream(context, { upstream, url, option })
  const at = shownUrl(url)
  const path = upstream.optionPrefix + option
  if ('problem' in answer) {
    report(failed(name, `${at} ${answer.problem}`, answer.advice))
    return undefined
  }
  const keys = answer.status === 200 ? readKeySet(answer.body, upstream.algorithms) : undefined
  if (keys === undefined) {
    const problem = answer.status === 200 ? 'no_key_set' : problemOfStatus(answer.status)
    const detail = `status ${answer.status}`
    report(
      failed(
        name,
        `${at} is not a key set: ${kindOf(answer)}`,
        describeHint({ problem, option: path, detail }),
      ),
    )
    return undefined
  }
  const usable = keys.usable.map(({ kid, algorithm }) => `${shownKid(kid)} (${algorithm})`)
  const unusable = keys.unusable.map(({ kid, problem }) => `${shownKid(kid)}: ${problem}`)
  if (usable.length === 0) {
    report(
      failed(
        name,
        `${at} has no usable key; ${listed(unusable)}`,
        describeHint({ problem: 'no_usable_key', option: path }),
      ),
    )
  } else {
    report(ok(name, `${usable.length} usable key${usable.length === 1 ? '' : 's'}: ${listed(usable)}`))
    const ignored = keys.unusable.filter(({ problem }) => problem !== 'it is for encryption')
    if (ignored.length > 0) {
      report(
        warning(
          'unusable keys',
          `${ignored.length} ignored: ${listed(unusable)}`,
          'JWTs that these keys sign are refused; publish keys that the broker can use',
        ),
      )
    }
  }
  return { keys, answer }
}

function listed(texts: readonly string[]): string {
  const more = texts.length - maxListed
  return `${texts.slice(0, maxListed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function shownKid(kid: string | undefined): string {
  if (kid === undefined) return 'without kid'
  return /^[\w.:/@+=~-]{1,128}$/.test(kid) ? kid : JSON.stringify(kid.slice(0, 64))
}
