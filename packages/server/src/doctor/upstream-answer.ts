import { BrokerError } from '@broker/core'
import { networkFailureCode, networkFailureHint } from '@broker/core/diagnosis'
import { describeHint } from '../describe-hint.ts'
import { bodyText } from './body-text.ts'
import type { DoctorContext } from './doctor-context.ts'
import type { Upstream } from './upstream.ts'

/** Larger than a key set or a discovery document. */
const maxBodyBytes = 524_288

/** An answer of an upstream, and when it came. */
export interface UpstreamAnswer {
  readonly url: string
  readonly status: number
  readonly body: string
  header(name: string): string | undefined
  /** Wall clock in milliseconds, before the request and after the head of the answer. */
  readonly sentAt: number
  readonly answeredAt: number
}

/** A request without an answer. */
export interface NoAnswer {
  /** Words that follow the URL. */
  readonly problem: string
  readonly advice: string | undefined
}

export interface AskOptions {
  readonly upstream: Upstream
  readonly url: string
  /** The last name of the option that has the URL. */
  readonly option: 'issuer' | 'discoveryUrl' | 'jwksUri' | 'tokenEndpoint'
  /** A form to POST; without it, GET. */
  readonly form?: string
}

/** Sends a request as the broker would: by its transport, without redirects, within HTTP_TIMEOUT. */
export async function askUpstream(
  context: DoctorContext,
  { upstream, url, option, form }: AskOptions,
): Promise<UpstreamAnswer | NoAnswer> {
  const signal = context.deadline()
  const sentAt = context.now()
  try {
    const response = await upstream.transport(url, {
      method: form === undefined ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': context.userAgent,
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(form !== undefined && { body: form }),
      redirect: 'manual',
      signal,
      maxBodyBytes,
    })
    const answeredAt = context.now()
    const header = (name: string) => response.headers.get(name) ?? undefined
    return {
      url,
      status: response.status,
      body: await bodyText(response.body, maxBodyBytes),
      header,
      sentAt,
      answeredAt,
    }
  } catch (error) {
    const path = upstream.optionPrefix + option
    if (signal.aborted) {
      const detail = `${context.timeoutMs} ms`
      return {
        problem: `did not answer within ${detail}`,
        advice: describeHint({ problem: 'not_answered_in_time', option: path, detail }),
      }
    }
    // Of a transport that reads files for each request.
    if (BrokerError.is(error))
      return { problem: error.message, advice: error.hint && describeHint(error.hint) }
    return noAnswerOf(networkFailureCode(error), path, upstream.trustSetting)
  }
}

/** Words the failure of a connection. */
export function noAnswerOf(code: string | undefined, option: string, trustSetting: string): NoAnswer {
  const hint = networkFailureHint(code, option)
  const detail = hint?.problem === 'certificate_not_trusted' ? trustSetting : undefined
  return {
    problem: `cannot be reached (${code ?? 'unknown error'})`,
    advice: hint && describeHint({ ...hint, detail }),
  }
}

/** Describes what an answer is, for one that is not the expected document. */
export function kindOf({ status, body, header }: UpstreamAnswer): string {
  const type = header('content-type')?.split(';')[0]?.trim() ?? 'no content type'
  const location = header('location')
  const to = status >= 300 && status < 400 && location !== undefined ? ` to ${shownLocation(location)}` : ''
  return `status ${status}${to}, ${body === '' ? 'no body' : type}`
}

/** Without a query, in which a secret could be. */
function shownLocation(location: string): string {
  return location.split(/[?#]/)[0]?.slice(0, 200) ?? ''
}
