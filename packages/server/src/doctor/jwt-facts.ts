import { type DecodedJwt, decodeJwt } from '@broker/core/diagnosis'
import { optionRules } from '@broker/core/options'
import type { DoctorContext } from './doctor-context.ts'
import { durationText } from './duration-text.ts'
import type { StepName } from './gate-steps.ts'
import { shownList, shownValue } from './shown-value.ts'

/** The values that a JWT has and that the configuration expects, in words, for each step of the gate. */
export class JwtFacts {
  readonly #context: DoctorContext
  readonly #jwt: string
  readonly #decoded: DecodedJwt | undefined

  constructor(context: DoctorContext, jwt: string) {
    this.#context = context
    this.#jwt = jwt
    this.#decoded = decodeJwt(jwt)
  }

  get claims(): Readonly<Record<string, unknown>> {
    return this.#decoded?.claims ?? {}
  }

  /** A moment at which the JWT is valid, in milliseconds; `undefined` when there is none. */
  get momentOfValidity(): number | undefined {
    const { exp, nbf } = this.claims
    if (typeof exp !== 'number' || !Number.isFinite(exp)) return undefined
    const from = typeof nbf === 'number' ? nbf * 1_000 : 0
    const moment = Math.min(Math.max(this.#context.now(), from), exp * 1_000 - 1_000)
    return moment >= from ? moment : undefined
  }

  of(step: StepName): string {
    if (this.#decoded === undefined) return step === 'form' ? `${this.#jwt.length} characters` : ''
    const { header } = this.#decoded
    switch (step) {
      case 'form':
        return `a compact JWS of ${this.#jwt.length} characters`
      case 'algorithm':
        return `alg ${shownValue(header['alg'])}${this.#acceptedAlgorithms()}`
      case 'issuer':
        return `iss ${shownValue(this.claims['iss'])}${this.#expectedIssuers()}`
      case 'audience':
        return `aud ${shownList(this.claims['aud'])}${this.#expectedAudiences()}`
      case 'time':
        return this.#times()
      case 'key':
        return `kid ${shownValue(header['kid'])}`
      case 'signature':
        return ''
      case 'groups and scopes':
        return this.#groupsAndScopes()
    }
  }

  /** The usual ones go without saying. */
  #acceptedAlgorithms(): string {
    const { gate, issuers } = this.#context.config.broker
    const { default: usual } = optionRules['gate.algorithms']
    const { algorithms = usual } = issuers?.find(each => each.issuer === this.claims['iss']) ?? gate ?? {}
    return algorithms.join() === usual.join() ? '' : `; accepted: ${algorithms.join(', ')}`
  }

  #expectedIssuers(): string {
    const { gate, issuers, issuer } = this.#context.config.broker
    const expected = issuers?.map(each => each.issuer ?? each.name) ?? [
      gate?.issuer ?? (gate?.jwksUri ? undefined : issuer),
    ]
    const known = expected.filter(each => each !== undefined)
    return known.length === 0 ? '; any is accepted' : `; accepted: ${known.join(', ')}`
  }

  #expectedAudiences(): string {
    const { gate, issuers } = this.#context.config.broker
    const selected = issuers?.find(each => each.issuer === this.claims['iss'])
    const audiences = [(issuers === undefined ? gate?.audience : selected?.audiences) ?? []].flat()
    const machines = (issuers === undefined ? gate : selected)?.machineAudiences
    const alsoMachines = machines === undefined ? '' : `; of machines ${[machines].flat().join(', ')}`
    return audiences.length === 0 ? '; any is accepted' : `; accepted: ${audiences.join(', ')}${alsoMachines}`
  }

  #times(): string {
    const { exp, nbf, iat } = this.claims
    const texts = [
      momentText(iat, this.#context.now(), ['issued', 'issued']),
      momentText(nbf, this.#context.now(), ['valid since', 'valid only']),
      momentText(exp, this.#context.now(), ['expired', 'expires']),
    ]
    const { clockToleranceMs = optionRules['gate.clockToleranceMs'].default } =
      this.#context.config.broker.gate ?? {}
    const tolerance = clockToleranceMs === 0 ? [] : [`tolerance ${durationText(clockToleranceMs)}`]
    return [...texts.filter(text => text !== undefined), ...tolerance].join(', ')
  }

  #groupsAndScopes(): string {
    const {
      groupsClaim = 'groups',
      requiredGroups = [],
      requiredScopes = [],
    } = this.#context.config.broker.gate ?? {}
    const { claims } = this
    const scopes = claims['scope'] ?? claims['scp']
    return [
      `groups ${shownList(claims[groupsClaim])}`,
      ...(requiredGroups.length > 0 ? [`required: ${requiredGroups.join(', ')}`] : []),
      ...(requiredScopes.length > 0
        ? [
            `scopes ${shownList(typeof scopes === 'string' ? scopes.split(' ') : scopes)}; required: ${requiredScopes.join(', ')}`,
          ]
        : []),
    ].join('; ')
  }
}

/** `words` are for the past and the future. */
function momentText(seconds: unknown, nowMs: number, words: readonly [string, string]): string | undefined {
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined
  const distance = seconds * 1_000 - nowMs
  const [past, future] = words
  return distance <= 0 ? `${past} ${durationText(-distance)} ago` : `${future} in ${durationText(distance)}`
}
