/** Everything that the broker can tell an operator to look at. */
export type HintProblem =
  | 'certificate_not_trusted'
  | 'host_not_found'
  | 'nothing_listens'
  | 'path_not_found'
  | 'redirects'
  | 'upstream_failed'
  | 'not_dex'
  | 'no_key_set'
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
    `the certificate is not trusted: give its authority in ${name('transport')}, and check that the host name is in it`,
  host_not_found: (name, { option }) => `the host name in ${name(option)} does not resolve`,
  nothing_listens: (name, { option }) => `nothing listens at the host and port in ${name(option)}`,
  path_not_found: (name, { option }) =>
    `the path of ${name(option)} is wrong; for Dex it is the path of its issuer and /token`,
  redirects: (name, { option }) =>
    `${name(option)} redirects, and redirects are not followed: give the final URL`,
  upstream_failed: () => 'Dex has a fault of its own; its log tells',
  not_dex: (name, { option }) => `something else than Dex answers at ${name(option)}`,
  no_key_set: (name, { option }) => `something else answers at ${name(option)}`,
  status_of_key_set: (name, { option }) => `look at ${name(option)} and the log behind it`,
  grant_not_supported: () =>
    'this Dex has no client_credentials grant (no release up to 2.45.1 has it), or oauth2.grantTypes in its configuration does not list it',
  credentials_rejected: name =>
    `the configured client credentials are wrong: look at ${name('client.clientId')} and ${name('client.clientSecret')}`,
  half_a_client: (name, { option }) =>
    `set ${name(option)}: the configured client lacks it, and the request did not bring it`,
  no_discovery_document: (name, { option, detail }) =>
    `${name(option)} is wrong, or something else than Dex answers at ${detail}`,
  other_host: (name, { option }) => `set ${name(option)} if it cannot be reached from here`,
  other_issuer: (name, { option, detail }) =>
    `${name(option)} must be exactly the issuer in Dex's configuration${detail === undefined ? '' : `, which says ${detail}`}; where it is not reachable, set ${name('tokenEndpoint')} and ${name('gate.jwksUri')}`,
  unusable_discovery_document: name =>
    `set ${name('tokenEndpoint')} and ${name('gate.jwksUri')}, or ${name('allowInsecureUrls')} for plain http`,
}

/** A hint as a sentence; `nameOf` says how the operator knows an option. Default: by its path. */
export function hintText(hint: Hint, nameOf: OptionName = option => option): string {
  return sentences[hint.problem](nameOf, hint)
}
