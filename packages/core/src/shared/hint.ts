/** The closed set of problems that the broker can give an operator a hint about. */
export type HintProblem =
  | 'certificate_expired'
  | 'certificate_not_trusted'
  | 'certificate_of_another_host'
  | 'connection_closed'
  | 'encoded'
  | 'not_answered_in_time'
  | 'not_connected_in_time'
  | 'not_tls'
  | 'not_http'
  | 'request_not_understood'
  | 'tls_failed'
  | 'expired_on_arrival'
  | 'proxy_in_front'
  | 'proxy_wants_credentials'
  | 'proxy_failed'
  | 'store_failing'
  | 'store_unreadable'
  | 'status_of_no_token_endpoint'
  | 'upstream_unreachable'
  | 'grant_not_listed'
  | 'scope_rejected'
  | 'resource_rejected'
  | 'extra_params_rejected'
  | 'peer_does_not_trust'
  | 'peer_does_not_trust_exchange'
  | 'exchange_not_supported'
  | 'connector_not_usable'
  | 'subject_not_accepted'
  | 'host_not_found'
  | 'nothing_listens'
  | 'path_not_found'
  | 'redirects'
  | 'upstream_failed'
  | 'not_dex'
  | 'no_key_set'
  | 'no_usable_key'
  | 'jwt_absent'
  | 'jwt_of_other_issuer'
  | 'jwt_for_other_audience'
  | 'jwt_outside_its_time'
  | 'clocks_differ'
  | 'jwt_key_not_in_key_set'
  | 'caller_lacks_group'
  | 'jwt_lacks_scope'
  | 'issuer_twice'
  | 'credentials_absent'
  | 'signing_key_changed'
  | 'status_of_key_set'
  | 'grant_not_supported'
  | 'client_refused'
  | 'credentials_rejected'
  | 'authentication_rejected'
  | 'secret_unavailable'
  | 'half_a_client'
  | 'headers_malformed'
  | 'basic_incomplete'
  | 'failure_logged_elsewhere'
  | 'no_discovery_document'
  | 'other_host'
  | 'other_issuer'
  | 'unusable_discovery_document'
  | 'unusable_file'

/** A pointer for the operator to the likely cause of a failure. {@link hintText} words it. Never sent to a caller. */
export interface Hint {
  /** The kind of problem; stable, for code that words hints itself. */
  readonly problem: HintProblem
  /** The path of the option to check: `gate.jwksUri`. */
  readonly option: string
  /** A value that belongs to the problem, such as a URL or a limit; never a secret. */
  readonly detail?: string | undefined
}

/** Translates the path of an option into the name that the operator knows, such as an environment variable. */
export type OptionName = (option: string) => string

type Sentence = (name: OptionName, hint: Hint) => string

/** The end of the URL's path at Dex, by the option that holds the URL. */
const pathsOfDex: Readonly<Record<string, string>> = { tokenEndpoint: '/token', jwksUri: '/keys' }

/** The server behind an option: callers may have JWTs of another issuer than Dex. */
const serverAt = (option: string): string =>
  isOfCallers(option) && !option.endsWith('.tokenEndpoint') ? 'the issuer of the JWTs' : 'Dex'

/** Whether an option belongs to an issuer of callers' JWTs, and not to the broker's own Dex. */
const isOfCallers = (option: string): boolean => /^(?:gate|issuers)\./.test(option)

/** The option with the algorithms for the keys of an issuer, or of the broker's own Dex. */
const algorithmsFor = (option: string): string =>
  option.startsWith('issuers.') ? option.replace(/[^.]+$/, 'algorithms') : 'gate.algorithms'

/** The options that override discovery, in words that follow "set". */
const withoutDiscovery = (name: OptionName, option: string): string =>
  isOfCallers(option)
    ? name(option.replace(/[^.]+$/, 'jwksUri'))
    : `${name('tokenEndpoint')} and ${name('jwksUri')}`

/** Instructions: the action comes first, the reason after a colon. */
const sentences: Readonly<Record<HintProblem, Sentence>> = {
  certificate_not_trusted: (name, { detail }) =>
    `add the CA of the certificate to ${detail ?? name('transport')}`,
  unusable_file: (name, { option, detail }) =>
    `check the file ${detail} in ${name(option)}: it is missing, unreadable, or has other content`,
  certificate_expired: (name, { option }) =>
    `renew the certificate at ${name(option)}, or correct the clock of this host: the certificate is expired or not valid yet`,
  certificate_of_another_host: (name, { option }) =>
    `set ${name(option)} to a host name of the certificate, or issue a certificate for this host name`,
  connection_closed: (name, { option }) =>
    `check the logs of ${serverAt(option)} and of any proxy at ${name(option)}: the connection was closed before the response`,
  encoded: (name, { option, detail }) =>
    `turn off the content coding ${detail} at ${name(option)}: the broker did not ask for it and cannot decode it`,
  not_answered_in_time: (name, { option, detail }) =>
    `check the load and the storage behind ${name(option)}, or raise ${name('requestTimeoutMs')}: no response within ${detail ?? 'the timeout'}`,
  not_connected_in_time: (name, { option }) =>
    `check the address in ${name(option)}, routes, firewalls and network policies: no connection`,
  not_tls: (name, { option }) =>
    `change ${name(option)} to http, or to the port that serves TLS: this port does not speak TLS`,
  not_http: (name, { option }) =>
    `change ${name(option)} to https if its port serves TLS: the response is not plain HTTP`,
  tls_failed: (name, { option }) =>
    `compare the TLS versions of both sides at ${name(option)}, and check whether it requires a client certificate`,
  request_not_understood: (name, { option }) =>
    `check ${name(`${option}.clientSecret`)} for unusual characters, or change ${name(option === 'client' ? 'clientAuthMethod' : `${option}.authMethod`)}: Dex could not read the request`,
  expired_on_arrival: (name, { option }) =>
    `compare the clocks of this host and Dex, and check for a cache in front of ${name(option)}: the token was already expired`,
  proxy_in_front: (name, { option, detail }) =>
    `check the proxy, gateway or mesh rules in front of ${name(option)}: the ${detail} is not an answer of Dex`,
  proxy_failed: (name, { option }) =>
    `check the forward proxy that requests to ${name(option)} take: it cannot be reached, or refuses the connection`,
  store_failing: (name, { option }) =>
    `check that ${name(option)} is running, and answers within ${name('sharedStore.timeoutMs')}`,
  store_unreadable: (name, { option }) =>
    `give all replicas the same ${name(option)}; if they have it, find out who else writes to the store`,
  proxy_wants_credentials: (name, { option }) =>
    `exempt ${name(option)} from the proxy, or configure the proxy's credentials: it requires authentication`,
  status_of_no_token_endpoint: (name, { option, detail }) =>
    `check ${name(option)}, for Dex its issuer and /token: a token endpoint does not answer with status ${detail}`,
  upstream_unreachable: (name, { option }) =>
    `check that ${serverAt(option)} is running: the proxy at ${name(option)} cannot reach it`,
  grant_not_listed: () =>
    'add client_credentials to oauth2.grantTypes in the configuration of Dex, with a Dex build after 2026-03-03',
  scope_rejected: (name, { option }) =>
    `check ${name(option)} and ${name(option.replace(/scope$/, 'audiences'))}: Dex rejected the configured scope`,
  resource_rejected: (name, { option }) =>
    `set ${name(option)} to a resource that this client may have tokens for: the token endpoint rejected it`,
  extra_params_rejected: (name, { option }) =>
    `check ${name(option)} and the rights of this client for the audience there: the token endpoint refused the request`,
  peer_does_not_trust: (name, { option }) =>
    `add this client to the trustedPeers of each peer in ${name(option)}: Dex rejected an audience`,
  peer_does_not_trust_exchange: (name, { option }) =>
    `add this client to the trustedPeers of each peer in ${name(option)} or in the audiences of the exchange: under token exchange Dex answers 500 server_error when a peer does not trust it; if they all do, check the log of Dex`,
  exchange_not_supported: (name, { option }) =>
    `list urn:ietf:params:oauth:grant-type:token-exchange in oauth2.grantTypes in the configuration of Dex, and allow it for the client in ${name(`${option}.clientId`)}`,
  connector_not_usable: (name, { option, detail }) =>
    `check ${name(option)} and the log of Dex: the connector ${detail} does not exist, cannot exchange tokens (oidc and gitlab can), or excludes this grant or this client`,
  subject_not_accepted: (name, { option, detail }) =>
    `check the log of Dex for "failed to verify subject token", and the connector ${detail} in ${name(option)}: it needs the issuer of the JWT, and by default its claims email and name`,
  host_not_found: (name, { option }) => `check the host name in ${name(option)}: it does not resolve`,
  nothing_listens: (name, { option }) =>
    `check that ${serverAt(option)} is running, then the host and the port in ${name(option)}: the connection was refused`,
  path_not_found: (name, { option }) => {
    const end = pathsOfDex[option.replace(/^issuers\..*(?=tokenEndpoint$)/, '')]
    if (end === undefined) return `correct the path of ${name(option)}: the server does not have it`
    return `correct the path of ${name(option)}: for Dex it is the path of its issuer and ${end}, without a trailing slash`
  },
  redirects: (name, { option }) => `set ${name(option)} to the final URL: the broker follows no redirects`,
  upstream_failed: (_, { option }) => `${serverAt(option)} failed internally; check its log`,
  not_dex: (name, { option }) => `check ${name(option)}: the response is not from Dex`,
  no_key_set: (name, { option }) => `check ${name(option)}: the response is not a key set`,
  no_usable_key: (name, { option }) =>
    `publish an RSA key of 2048 to 8192 bits, or an EC key on P-256, P-384 or P-521, or add the algorithm of the keys to ${name(algorithmsFor(option))}`,
  jwt_absent: (name, { option, detail }) =>
    `forward ${detail} to the broker, or set ${name(option)} to the header that carries the JWT`,
  jwt_of_other_issuer: (name, { option }) =>
    `compare ${name(option)} with iss of the JWTs: the gate accepts no other issuer`,
  jwt_for_other_audience: (name, { option }) =>
    `compare ${name(option)} with aud of the JWTs: add the audience there, or have the caller request a JWT for it`,
  jwt_outside_its_time: (name, { option }) =>
    `compare the clock of this host with the clock of the JWT issuer; ${name(option)} is the tolerated difference. If the clocks agree, the caller must renew its JWT`,
  clocks_differ: (_, { option, detail }) =>
    `synchronize both hosts with a time server (NTP): the clock of this host is ${detail} the clock of ${serverAt(option)}`,
  jwt_key_not_in_key_set: (name, { option }) =>
    `check that the key set in ${name(option)} belongs to the issuer of the JWTs`,
  caller_lacks_group: (name, { option }) =>
    `add the caller to the group at its issuer, or change ${name(option)}; the JWT must have the claim with the groups`,
  jwt_lacks_scope: (name, { option }) => `have the caller request the scope, or change ${name(option)}`,
  issuer_twice: (name, { option }) =>
    `give one of the two issuers in ${name(option)} another iss, or remove it: a JWT does not tell them apart`,
  credentials_absent: (name, { option, detail }) =>
    `forward ${detail} to the broker, or set ${name(option)} to the headers that carry the credentials`,
  signing_key_changed: name =>
    `set ${name('issuer')} or ${name('jwksUri')}, so that the broker drops tokens whose key Dex has lost`,
  status_of_key_set: (name, { option }) => `check ${name(option)} and the log of the server behind it`,
  grant_not_supported: () =>
    'upgrade Dex to a build with the client_credentials grant (no release up to 2.45.1 has it), and list it in oauth2.grantTypes',
  credentials_rejected: (name, { option }) =>
    `set ${name(`${option}.clientSecret`)} to the secret that Dex has for the client in ${name(`${option}.clientId`)}`,
  authentication_rejected: (name, { option }) =>
    `compare ${name(option)} with the client at its authorization server: the method, the registered key or certificate, the audience, and the clocks of both hosts`,
  secret_unavailable: (name, { option, detail }) =>
    `check the function in ${name(option)} and the store that it reads${detail === undefined ? '' : `: ${detail}`}`,
  client_refused: (name, { option }) =>
    `check the log of Dex: it refuses the client in ${name(`${option}.clientId`)}`,
  half_a_client: (name, { option }) =>
    `set ${name(option)}: neither the configuration nor the request has it`,
  headers_malformed: () => "correct the caller's headers, or the proxy that adds, repeats or joins them",
  basic_incomplete: () => 'have the caller send both client id and client secret in Basic credentials',
  failure_logged_elsewhere: () =>
    'look for the WARN or ERROR lines around this one: they name the failure or the limit',
  no_discovery_document: (name, { option, detail }) =>
    `check ${name(option)}: there is no discovery document${isOfCallers(option) ? '' : ' of Dex'} at ${detail}`,
  other_host: (name, { option }) => `set ${name(option)} if this host cannot reach the discovered URL`,
  other_issuer: (name, { option, detail }) =>
    `set ${name(option)} to exactly the issuer in ${isOfCallers(option) ? 'the discovery document' : 'the configuration of Dex'}${detail === undefined ? '' : `, ${detail}`}; if it is not reachable, set ${withoutDiscovery(name, option)}`,
  unusable_discovery_document: (name, { option }) =>
    `set ${withoutDiscovery(name, option)}, or ${name('allowInsecureUrls')} for plain http`,
}

/**
 * Words a hint as an instruction. `nameOf` translates the path of an option into the name that the operator knows; by
 * default the path stays.
 */
export function hintText(hint: Hint, nameOf: OptionName = option => option): string {
  return sentences[hint.problem](nameOf, hint)
}
