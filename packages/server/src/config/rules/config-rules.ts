import { isExposedUrl, optionRules, scopeWithAudiences } from '@broker/core/options'
import type { VariableFault } from '../config-error.ts'
import { configSchema, type VariableName, variableNames } from '../schema/config-schema.ts'
import { faultOf, type SettingsReading } from '../schema/read-settings.ts'
import { secretFileVariable } from '../schema/secret-files.ts'
import type { Variable } from '../schema/variable.ts'
import { mappingsOf } from '../values/headers-by-field.ts'
import type { ListenAddress } from '../values/listen-address.ts'
import { formatMilliseconds } from '../values/milliseconds.ts'
import { quoteUrl } from '../values/quote-url.ts'
import { quoteValue } from '../values/quote-value.ts'
import { gateVariables, hasGate } from './gate-variables.ts'
import { sharedStoreFaults } from './shared-store-rules.ts'
import { tlsIsComplete } from './tls-rules.ts'
import { isServiceLink, misspeltVariable } from './unknown-variables.ts'

type Rule = (reading: SettingsReading) => readonly (VariableFault | undefined)[]

/** Finds faults between variables that are valid separately. */
export function findConflicts(reading: SettingsReading): readonly VariableFault[] {
  const rules: readonly Rule[] = [
    urlsAreEncrypted,
    gateIsComplete,
    gateIsNotForgotten,
    gateIsDescribedOnce,
    claimsHaveAGate,
    routesHaveAGate,
    staleKeysOutliveFreshOnes,
    requestHeadersDiffer,
    basicHasItsHeader,
    mappingsSpareTheBearerHeader,
    scopeFitsWithAudiences,
    listenersDiffer,
    tlsIsComplete,
    secretsHaveOneSource,
    sharedStoreFaults,
  ]
  return rules.flatMap(rule => rule(reading)).filter(fault => fault !== undefined)
}

const urlsAreEncrypted: Rule = ({ settings }) =>
  (['DEX_ISSUER', 'DEX_TOKEN_URL', 'DEX_JWKS_URL', 'JWKS_URL'] as const).map(variable => {
    const url = settings[variable]
    if (url === undefined || settings.ALLOW_INSECURE_DEX_URL !== false) return undefined
    if (!isExposedUrl(new URL(url))) return undefined
    return faultOf(
      variable,
      `${quoteUrl(url)} is not https; on a network that you trust, set ALLOW_INSECURE_DEX_URL=true`,
    )
  })

const gateIsComplete: Rule = reading => {
  const { isSet, file } = reading
  if (!hasGate(reading)) return []
  const hasIssuers = file?.has.issuers === true
  const cause = gateVariables.find(isSet) ?? 'issuers'
  return [
    // Without keys, the gate could only accept everybody or nobody.
    hasIssuers || isSet('JWKS_URL') || isSet('DEX_ISSUER') || isSet('DEX_JWKS_URL')
      ? undefined
      : faultOf(
          'JWKS_URL',
          `must be set, or DEX_ISSUER, because ${cause} is: a JWT needs keys to be checked`,
        ),
    // Rules or routes say which client a caller gets.
    isSet('STATIC_CLIENT_ID') || file?.has.rules || reading.settings.ALLOW_ROUTE_CLIENTS === true
      ? undefined
      : faultOf(
          'STATIC_CLIENT_ID',
          cause === 'issuers'
            ? "must be set, or the configuration file must have rules, because it has issuers: a JWT replaces the caller's client id"
            : `must be set, because ${cause} is: a JWT replaces the caller's client id`,
        ),
  ]
}

/** Whether a variable belongs to the gate, or was likely meant to. */
const isGateLike = (name: string): boolean =>
  !isServiceLink(name) && (gatePrefix.test(name) || gatePrefix.test(misspeltVariable(name) ?? ''))
const gatePrefix = /^(?:JWT|JWKS)_/i

const gateIsNotForgotten: Rule = reading => {
  const { settings, isSet, names, file } = reading
  if (hasGate(reading) || !isSet('STATIC_CLIENT_SECRET') || settings.ALLOW_UNAUTHENTICATED_CALLERS !== false)
    return []
  const gateLike = names.find(isGateLike)
  let reason: string
  if (isSet('DEX_ISSUER')) reason = 'DEX_ISSUER is set'
  else if (gateLike !== undefined) reason = `${quoteValue(gateLike)} is present but does not enable the gate`
  // Its issuers may be what is missing.
  else if (file?.isEmpty) reason = 'CONFIG_FILE names a file without entries'
  else return []
  const problem = `must be set, because ${reason}: without a JWT gate, every caller that reaches the check listener gets a token by the static secret; if you want that, set ALLOW_UNAUTHENTICATED_CALLERS=true`
  return [faultOf('JWT_AUDIENCE', problem)]
}

const ofOneIssuer = [...gateVariables, 'GROUPS_CLAIM', 'MACHINE_AUDIENCES', 'JWT_ALGORITHMS'] as const

const gateIsDescribedOnce: Rule = ({ isSet, file }) =>
  file?.has.issuers
    ? ofOneIssuer
        .filter(isSet)
        .map(name =>
          faultOf(
            name,
            'must not be set together with issuers in the configuration file; describe its issuer there',
          ),
        )
    : []

const ofGate = [
  'REQUIRED_GROUPS',
  'REQUIRED_SCOPES',
  'GROUPS_CLAIM',
  'MACHINE_AUDIENCES',
  'JWT_ALGORITHMS',
] as const

/** A condition on claims without a gate would admit everybody. */
const claimsHaveAGate: Rule = reading =>
  hasGate(reading)
    ? []
    : ofGate
        .filter(reading.isSet)
        .map(name =>
          faultOf(name, 'needs a JWT gate, because it is about the claims of a JWT; set JWT_AUDIENCE'),
        )

/** A route that names a client would give its token to everybody. */
const routesHaveAGate: Rule = reading => {
  const { ALLOW_ROUTE_CLIENTS: isOn, ALLOW_UNAUTHENTICATED_CALLERS: isOpen } = reading.settings
  if (isOn !== true || isOpen !== false || hasGate(reading)) return []
  const problem =
    'hands out tokens of configured clients without a JWT gate, to every caller that reaches the gRPC listener; set JWT_AUDIENCE, or if you want that, ALLOW_UNAUTHENTICATED_CALLERS=true'
  return [faultOf('ALLOW_ROUTE_CLIENTS', problem)]
}

const staleKeysOutliveFreshOnes: Rule = ({ settings: { JWKS_MAX_AGE: age, JWKS_MAX_STALE: stale } }) => {
  if (age === undefined || stale === undefined || stale >= age) return []
  const [least, given] = [age, stale].map(formatMilliseconds)
  return [faultOf('JWKS_MAX_STALE', `is ${given}, less than JWKS_MAX_AGE (${least})`, least)]
}

const requestHeadersDiffer: Rule = reading => {
  const { settings } = reading
  const variables: VariableName[] = ['CLIENT_ID_HEADER', 'CLIENT_SECRET_HEADER', 'SCOPE_HEADER']
  if (hasGate(reading)) variables.push('JWT_HEADER')
  return variables.map((variable, index) => {
    const name = settings[variable]
    // One header for two purposes would send a secret, or a caller's JWT, where it does not belong.
    const other = variables.slice(0, index).find(earlier => name !== undefined && settings[earlier] === name)
    return other && faultOf(variable, `is ${quoteValue(String(name))}, the same header as ${other}`)
  })
}

/** Basic credentials are in `authorization` always. */
const basicHasItsHeader: Rule = reading => {
  const { settings } = reading
  if (settings.ACCEPT_BASIC !== true) return []
  const faults = (['CLIENT_ID_HEADER', 'CLIENT_SECRET_HEADER', 'SCOPE_HEADER'] as const)
    .filter(variable => settings[variable] === 'authorization')
    .map(variable =>
      faultOf(variable, 'is "authorization", which carries Basic credentials with ACCEPT_BASIC'),
    )
  if (hasGate(reading) && settings.JWT_HEADER === 'authorization') {
    const problem =
      'must be another header than authorization, because ACCEPT_BASIC is true: the header cannot carry a JWT and Basic credentials'
    faults.push(faultOf('JWT_HEADER', problem, 'x-jwt'))
  }
  return faults
}

const mappingsSpareTheBearerHeader: Rule = ({ settings }) =>
  mappingsOf(settings.UPSTREAM_TOKEN_HEADERS ?? {})
    .filter(({ header }) => header === settings.UPSTREAM_AUTH_HEADER)
    .map(({ field, header }) =>
      faultOf(
        'UPSTREAM_TOKEN_HEADERS',
        `maps ${quoteValue(field)} onto ${quoteValue(header)}, which is UPSTREAM_AUTH_HEADER and carries the bearer token`,
      ),
    )

const scopeFitsWithAudiences: Rule = ({
  settings: { STATIC_SCOPE = '', STATIC_AUDIENCES: audiences = [] },
}) => {
  const { length } = scopeWithAudiences(STATIC_SCOPE, audiences)
  const { maxLength } = optionRules['client.scope']
  if (audiences.length === 0 || length <= maxLength) return []
  const problem = `makes a scope of ${length} characters together with STATIC_SCOPE, more than ${maxLength}`
  return [faultOf('STATIC_AUDIENCES', problem)]
}

const listenersDiffer: Rule = ({ settings, isSet }) => {
  // A colliding default is only a warning at start, because the operator did not set it.
  const variables = (['LISTEN_ADDR', 'ADMIN_ADDR', 'GRPC_LISTEN_ADDR'] as const).filter(
    name => name !== 'ADMIN_ADDR' || isSet(name),
  )
  return variables.map((variable, index) => {
    const other = variables.slice(0, index).find(name => isSameAddress(settings[name], settings[variable]))
    return other && faultOf(variable, `is the same address as ${other}`)
  })
}

/** Port 0 is another one for each listener. */
function isSameAddress(one: ListenAddress | 'off' | undefined, other: typeof one): boolean {
  if (one === undefined || other === undefined || one === 'off' || other === 'off') return false
  return one.port === other.port && one.port !== 0 && one.host === other.host
}

const secretsHaveOneSource: Rule = ({ textOf }) =>
  variableNames
    .filter(name => (configSchema[name] as Variable).secret)
    .map(name => {
      const twin = secretFileVariable(name) as VariableName
      return textOf(name) && textOf(twin)
        ? faultOf(twin, `must not be set together with ${name}; remove one of them`)
        : undefined
    })
