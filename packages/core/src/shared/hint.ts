/** Everything that the broker can tell an operator to look at. */
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
  | 'status_of_no_token_endpoint'
  | 'upstream_unreachable'
  | 'grant_not_listed'
  | 'scope_rejected'
  | 'peer_does_not_trust'
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
  | 'jwt_key_not_in_key_set'
  | 'credentials_absent'
  | 'signing_key_changed'
  | 'status_of_key_set'
  | 'grant_not_supported'
  | 'credentials_rejected'
  | 'half_a_client'
  | 'no_discovery_document'
  | 'other_host'
  | 'other_issuer'
  | 'unusable_discovery_document'

/** What an operator should look at after a failure; put into words by {@link hintText}. Never sent to a caller. */
export interface Hint {
  readonly problem: HintProblem
  /** The path of the option to look at: `gate.jwksUri`. */
  readonly option: string
  /** What else is known, such as a URL; never a secret. */
  readonly detail?: string | undefined
}

/** How the operator knows an option: by its path in the library, by a variable in the server. */
export type OptionName = (option: string) => string

type Sentence = (name: OptionName, hint: Hint) => string

const sentences: Readonly<Record<HintProblem, Sentence>> = {
  certificate_not_trusted: name =>
    `the certificate is not trusted: give its authority in ${name('transport')}`,
  certificate_expired: (name, { option }) =>
    `the certificate at ${name(option)} has expired or is not valid yet: renew it there, and compare the clocks`,
  certificate_of_another_host: (name, { option }) =>
    `the certificate is for another host name than the one in ${name(option)}`,
  connection_closed: (name, { option }) =>
    `the connection to ${name(option)} was closed before the answer: look at what is in front of Dex, and at its log`,
  encoded: (_, { detail }) =>
    `the answer is encoded as ${detail}, which was not asked for: look at what is in front of Dex`,
  not_answered_in_time: (name, { option, detail }) =>
    `no answer from ${name(option)} within ${detail ?? 'the time'}, the limit of ${name('requestTimeoutMs')}: look at the load and the storage behind it`,
  not_connected_in_time: (name, { option, detail }) =>
    `no connection to the host in ${name(option)} within ${detail ?? 'the limit'}: look at the address, firewalls and network policies`,
  not_tls: (name, { option }) =>
    `the other side does not speak TLS: ${name(option)} says https, and the port serves http`,
  not_http: (name, { option }) =>
    `the other side does not speak plain HTTP: if its port serves https, ${name(option)} must say so`,
  tls_failed: (name, { option }) =>
    `the TLS handshake with ${name(option)} failed: compare TLS versions, and whether a client certificate is required`,
  request_not_understood: name =>
    `Dex could not read the request: look for unusual characters in ${name('client.clientSecret')}, or change ${name('clientAuthMethod')}`,
  expired_on_arrival: (name, { option }) =>
    `the token had already expired: compare the clocks, and look for a cache in front of ${name(option)}`,
  proxy_in_front: (name, { option, detail }) =>
    `the ${detail} is not an answer of Dex but of something in front of ${name(option)}: look at its proxy, gateway or mesh rules`,
  proxy_wants_credentials: (name, { option }) => `a proxy on the way to ${name(option)} asks for credentials`,
  status_of_no_token_endpoint: (name, { option, detail }) =>
    `status ${detail} is not one of a token endpoint: check ${name(option)}, which for Dex is its issuer and /token`,
  upstream_unreachable: (name, { option }) =>
    `what is in front of Dex at ${name(option)} cannot reach Dex: check that Dex is running`,
  grant_not_listed: () =>
    'Dex does not list the client_credentials grant: add it to oauth2.grantTypes, with a Dex build after 2026-03-03',
  scope_rejected: name =>
    `Dex rejected the configured scope: look at ${name('client.scope')} and ${name('client.audiences')}`,
  peer_does_not_trust: name =>
    `Dex rejected an audience: each peer in ${name('client.audiences')} must list this client in its trustedPeers`,
  host_not_found: (name, { option }) => `the host name in ${name(option)} does not resolve`,
  nothing_listens: (name, { option }) => `nothing listens at the host and port in ${name(option)}`,
  path_not_found: (name, { option }) =>
    `the path of ${name(option)} is wrong; for Dex it is the path of its issuer and /token, without a trailing slash`,
  redirects: (name, { option }) =>
    `${name(option)} redirects, and redirects are not followed: give the final URL`,
  upstream_failed: () => 'Dex failed internally; check its log',
  not_dex: (name, { option }) => `something other than Dex answers at ${name(option)}`,
  no_key_set: (name, { option }) => `something else answers at ${name(option)}`,
  no_usable_key: () =>
    'publish an RSA key of 2048 to 8192 bits, or an EC key on P-256, P-384 or P-521, for RS256, RS384, RS512, ES256, ES384 or ES512',
  jwt_absent: (name, { option, detail }) =>
    `forward ${detail} to the broker, or set ${name(option)} to the header that carries the JWT`,
  jwt_of_other_issuer: (name, { option }) =>
    `compare ${name(option)} with iss of the JWTs: the gate accepts only JWTs of that issuer`,
  jwt_for_other_audience: (name, { option }) =>
    `compare ${name(option)} with aud of the JWTs: add the audience there, or have the caller request a JWT for it`,
  jwt_outside_its_time: (name, { option }) =>
    `compare the clock of this host with the clock of the JWT issuer; ${name(option)} is the tolerated difference. If the clocks agree, the caller must renew its JWT`,
  jwt_key_not_in_key_set: (name, { option }) =>
    `check that the key set in ${name(option)} belongs to the issuer of the JWTs`,
  credentials_absent: (name, { option, detail }) =>
    `forward ${detail} to the broker, or set ${name(option)} to the headers that carry the credentials`,
  signing_key_changed: name =>
    `set ${name('issuer')} or ${name('jwksUri')}, so that the broker drops tokens whose key Dex has lost`,
  status_of_key_set: (name, { option }) => `look at ${name(option)} and the log behind it`,
  grant_not_supported: () =>
    'this Dex has no client_credentials grant (no release up to 2.45.1 has it), or oauth2.grantTypes in its configuration does not list it',
  credentials_rejected: name =>
    `the configured client credentials are wrong: look at ${name('client.clientId')} and ${name('client.clientSecret')}`,
  half_a_client: (name, { option }) =>
    `set ${name(option)}: the configured client lacks it, and the request did not bring it`,
  no_discovery_document: (name, { option, detail }) =>
    `${name(option)} is wrong, or something other than Dex answers at ${detail}`,
  other_host: (name, { option }) => `set ${name(option)} if it cannot be reached from here`,
  other_issuer: (name, { option, detail }) =>
    `${name(option)} must be exactly the issuer in Dex's configuration${detail === undefined ? '' : `, which says ${detail}`}; where it is not reachable, set ${name('tokenEndpoint')} and ${name('jwksUri')}`,
  unusable_discovery_document: name =>
    `set ${name('tokenEndpoint')} and ${name('jwksUri')}, or ${name('allowInsecureUrls')} for plain http`,
}

/** A hint as a sentence; `nameOf` says how the operator knows an option. Default: by its path. */
export function hintText(hint: Hint, nameOf: OptionName = option => option): string {
  return sentences[hint.problem](nameOf, hint)
}
