import path from 'node:path'
import type { IssuerOptions, NamedClient, TokenBrokerOptions } from '@broker/core'
import type { kubernetesIssuer } from '@broker/core/kubernetes'
import { optionRules } from '@broker/core/options'
import type { Rules } from '../../rules/rules.ts'
import type { FileFault } from '../config-error.ts'
import type { Settings } from '../schema/settings.ts'
import { type CaFile, readCaFile } from '../values/ca-file.ts'
import { parseEndpointUrl } from '../values/endpoint-url.ts'
import type { KeyPair } from '../values/key-pair.ts'
import { parseMilliseconds } from '../values/milliseconds.ts'
import type { ReadTextFile } from '../values/read-text-file.ts'
import { Refusal } from '../values/refusal.ts'
import type { AuthenticationDefinition } from './authentication-schema.ts'
import { readAuthentication } from './client-authentication.ts'
import { readClientSecret } from './client-secret.ts'
import type { ConfigFile, Entry } from './config-file.ts'
import { entryFindings } from './entry-findings.ts'
import type { FileFinding } from './file-finding.ts'
import type { ClientDefinition, IssuerDefinition } from './file-schema.ts'
import type { RuleFailures } from './rule-failures.ts'
import type { RulesCompiler } from './rules-compiler.ts'

/** Where the secrets of the file come from, the compiler of rules, and the maker of Kubernetes issuers. */
export interface FileSurroundings {
  readonly env: NodeJS.ProcessEnv
  readonly readTextFile: ReadTextFile
  readonly compileRules: RulesCompiler['compile']
  readonly kubernetesIssuer: typeof kubernetesIssuer
}

/** The variables, as far as the file depends on them. */
export interface FileContext {
  /** Of the variables and the file. */
  readonly settings: Partial<Settings>
  readonly hasGate: boolean
  readonly hasDefaultClient: boolean
}

/** The certificates that the connections to token endpoints present, by the configuration file. */
export interface ClientIdentities {
  /** For the Dex of the variables. */
  readonly own: KeyPair | undefined
  /** By the name of an issuer. */
  readonly ofIssuers: Readonly<Record<string, KeyPair>>
}

/** The options of core that a configuration file makes, or the reasons why it cannot. */
export interface FileParts {
  readonly options: Pick<TokenBrokerOptions, 'issuers' | 'clients' | 'chooseClient' | 'backendHeaders'>
  /** Certificates to trust for an issuer, by its name. */
  readonly issuerCertificates: Readonly<Record<string, CaFile>>
  /** The certificates that clients present. */
  readonly clientIdentities: ClientIdentities
  readonly rules: Rules | undefined
  readonly ruleFailures: RuleFailures
  readonly faults: readonly FileFault[]
}

/** Makes options of what the file defines, and reads the secrets and certificates that it names. */
export function fileParts(file: ConfigFile, context: FileContext, surroundings: FileSurroundings): FileParts {
  const folder = path.dirname(file.path)
  const findings: FileFinding[] = [...entryFindings(file, context)]
  const attempt = <Value>(place: FileFinding['path'], make: () => Value): Value | undefined => {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      findings.push(...error.problems.map(problem => ({ path: place, problem })))
      return undefined
    }
  }
  /** Paths in the file are relative to its folder, wherever the broker was started. */
  const inFolder = (name: string) => path.resolve(folder, name)

  const issuerCertificates: Record<string, CaFile> = Object.create(null)
  const issuers: IssuerOptions[] = []
  for (const { path: place, definition } of file.issuers) {
    const { name, caFile, kubernetes, audiences } = definition
    if (kubernetes === undefined) {
      if (caFile !== undefined) {
        const ca = attempt([...place, 'caFile'], () =>
          readCaFile(inFolder(caFile), surroundings.readTextFile),
        )
        if (ca !== undefined) issuerCertificates[name] = ca
      }
      issuers.push(issuerOptions(definition))
    } else if (audiences !== undefined) {
      issuers.push(
        surroundings.kubernetesIssuer({
          ...callerOptions(definition),
          audiences,
          ...(kubernetes.server && { server: kubernetes.server }),
          ...(kubernetes.caFile && { caFile: inFolder(kubernetes.caFile) }),
          ...(kubernetes.tokenFile && { tokenFile: inFolder(kubernetes.tokenFile) }),
        }),
      )
    }
  }

  const clients: Record<string, NamedClient> = Object.create(null)
  let ownIdentity: KeyPair | undefined
  const identitiesOfIssuers: Record<string, KeyPair> = Object.create(null)
  for (const { path: place, definition } of file.clients) {
    const { clientSecret: source, authentication } = definition
    if (authentication !== undefined) {
      const read = attempt([...place, 'authentication'], () =>
        readAuthentication(filesIn(authentication, inFolder), surroundings.readTextFile),
      )
      if (read === undefined) continue
      clients[definition.name] = namedClient(definition, { authentication: read.authentication })
      if (read.identity === undefined) continue
      if (definition.dex === undefined) ownIdentity = read.identity
      else identitiesOfIssuers[definition.dex] = read.identity
      continue
    }
    if (source === undefined || (source.env === undefined) === (source.file === undefined)) continue
    const key = source.env === undefined ? 'file' : 'env'
    const secret = attempt([...place, 'clientSecret', key], () =>
      readClientSecret(
        source.file === undefined ? source : { file: inFolder(source.file) },
        surroundings.env,
        surroundings.readTextFile,
      ),
    )
    if (secret !== undefined) clients[definition.name] = namedClient(definition, { clientSecret: secret })
  }

  const compiled = surroundings.compileRules(
    file.rules.map(({ definition }) => definition),
    {
      issuers: file.names.issuers,
      clients: [...file.names.clients, 'default'],
      hasGate: context.hasGate,
    },
  )
  const rules = file.has.rules && 'rules' in compiled ? compiled.rules : undefined
  if ('faults' in compiled) {
    for (const { path: place, offset, problem } of compiled.faults) {
      const placed = { path: placeOfRule(place, file.rules), problem, example: false } as const
      findings.push(offset === undefined ? placed : { ...placed, offset })
    }
  }
  return {
    options: {
      ...(file.has.issuers && { issuers }),
      ...(file.has.clients && { clients }),
      ...(rules && { chooseClient: rules.choose, backendHeaders: rules.backendHeaders }),
    },
    issuerCertificates,
    clientIdentities: { own: ownIdentity, ofIssuers: identitiesOfIssuers },
    rules,
    ruleFailures: compiled.failures,
    faults: findings.map(file.faultAt),
  }
}

/** The compiler counts only the rules that it was given. */
function placeOfRule(place: readonly (string | number)[], rules: ConfigFile['rules']): FileFinding['path'] {
  const [section = 'rules', index, ...rest] = place
  const entry: Entry<unknown> | undefined = typeof index === 'number' ? rules[index] : undefined
  return entry === undefined
    ? [section, ...(index === undefined ? [] : [index]), ...rest]
    : [...entry.path, ...rest]
}

/** The options of every kind of issuer. */
function callerOptions({
  name,
  issuer,
  audiences,
  algorithms,
  clockTolerance,
  groupsClaim,
}: IssuerDefinition) {
  return {
    name,
    ...(issuer !== undefined && { issuer }),
    ...(audiences !== undefined && { audiences }),
    ...(algorithms !== undefined && { algorithms }),
    ...(groupsClaim !== undefined && { groupsClaim }),
    ...(clockTolerance !== undefined && {
      clockToleranceMs: parseMilliseconds(clockTolerance, {
        min: 0,
        max: optionRules['gate.clockToleranceMs'].max,
      }),
    }),
  }
}

function issuerOptions(definition: IssuerDefinition): IssuerOptions {
  const { discoveryUrl, jwksUri, tokenEndpoint, isDex, machineAudiences } = definition
  return {
    ...callerOptions(definition),
    ...(discoveryUrl !== undefined && { discoveryUrl: parseEndpointUrl(discoveryUrl).href }),
    ...(jwksUri !== undefined && { jwksUri: parseEndpointUrl(jwksUri).href }),
    ...(tokenEndpoint !== undefined && { tokenEndpoint: parseEndpointUrl(tokenEndpoint).href }),
    ...(isDex !== undefined && { isDex }),
    ...(machineAudiences !== undefined && { machineAudiences }),
  }
}

function filesIn(
  authentication: AuthenticationDefinition,
  inFolder: (name: string) => string,
): AuthenticationDefinition {
  const { keyFile, certFile } = authentication
  return {
    ...authentication,
    ...(keyFile !== undefined && { keyFile: inFolder(keyFile) }),
    ...(certFile !== undefined && { certFile: inFolder(certFile) }),
  }
}

function namedClient(
  { clientId, scope, audiences, resource, extraParams, authMethod, dex }: ClientDefinition,
  credentials: Pick<NamedClient, 'clientSecret' | 'authentication'>,
): NamedClient {
  return {
    clientId,
    ...credentials,
    ...(scope !== undefined && { scope }),
    ...(audiences !== undefined && { audiences }),
    ...(resource !== undefined && { resource }),
    ...(extraParams !== undefined && { extraParams }),
    ...(authMethod !== undefined && { authMethod }),
    ...(dex !== undefined && { dex }),
  }
}
