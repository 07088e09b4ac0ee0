import { readFileSync } from 'node:fs'
import path from 'node:path'
import { declarationDoc, interfaceMembers } from './interface-members.mjs'

const brokerOptions = 'packages/core/src/options/broker-options.ts'
const clientAuthentication = 'packages/core/src/clients/client-authentication.ts'
const choices = 'packages/core/src/check/choose-client.ts'

/** The tables of the page: each of an interface, with the path of its options in `optionRules`. */
const sections = [
  {
    title: 'TokenBroker',
    use: '`new TokenBroker(options)`. Give `issuer` or `tokenEndpoint`; everything else is optional.',
    file: brokerOptions,
    name: 'TokenBrokerOptions',
    prefix: '',
  },
  {
    title: 'client',
    use: 'The option `client`.',
    file: brokerOptions,
    name: 'DefaultClient',
    prefix: 'client.',
  },
  {
    title: 'clients',
    use: 'The values of the option `clients`, by name.',
    file: brokerOptions,
    name: 'NamedClient',
  },
  {
    title: 'Secret functions',
    use: 'The argument of a function in `clientSecret` of `client` and `clients`.',
    file: 'packages/core/src/clients/secret-source.ts',
    name: 'SecretRequest',
  },
  {
    title: 'Client authentication by a key',
    use: 'A value of `authentication` of `client` and `clients`.',
    file: clientAuthentication,
    name: 'PrivateKeyJwt',
    prefix: 'client.authentication.',
  },
  {
    title: 'Client authentication by a function that signs',
    use: 'A value of `authentication` of `client` and `clients`.',
    file: clientAuthentication,
    name: 'SignedPrivateKeyJwt',
    prefix: 'client.authentication.',
  },
  {
    title: 'Assertions to sign',
    use: 'The argument of a function in `sign`.',
    file: clientAuthentication,
    name: 'AssertionRequest',
  },
  {
    title: 'Client authentication by a certificate',
    use: 'A value of `authentication` of `client` and `clients`.',
    file: clientAuthentication,
    name: 'MutualTls',
  },
  {
    title: 'Client authentication by a secret',
    use: 'A value of `authentication` of `client` and `clients`.',
    file: clientAuthentication,
    name: 'SecretAuthentication',
  },
  { title: 'gate', use: 'The option `gate`.', file: brokerOptions, name: 'GateOptions', prefix: 'gate.' },
  {
    title: 'issuers',
    use: 'The entries of the option `issuers`.',
    file: brokerOptions,
    name: 'IssuerOptions',
  },
  {
    title: 'sharedStore',
    use: 'The option `sharedStore`.',
    file: brokerOptions,
    name: 'SharedStoreOptions',
    prefix: 'sharedStore.',
  },
  {
    title: 'credentialHeaders',
    use: 'The option `credentialHeaders`: names of request headers, for `check` and `attachToken`.',
    file: 'packages/core/src/options/credential-header-options.ts',
    name: 'CredentialHeaderOptions',
    prefix: 'credentialHeaders.',
  },
  {
    title: 'sharedStore',
    use: 'The option `sharedStore`.',
    file: brokerOptions,
    name: 'SharedStoreOptions',
    prefix: 'sharedStore.',
  },
  {
    title: 'Token requests',
    use: 'The argument of `getToken`, `tokenFor` and `peekToken`, and the option `token` of outgoing calls and of `attachToken`.',
    file: 'packages/core/src/clients/token-request.ts',
    name: 'TokenRequest',
  },
  {
    title: 'Token exchanges',
    use: 'The argument of `exchange`, and the option `exchange` of outgoing calls. In Express `subjectToken` is the JWT that `requireJwt` verified, and only the next fields are given.',
    file: 'packages/core/src/clients/exchange-request.ts',
    name: 'ExchangeRequest',
  },
  {
    title: 'Choices of the operator in token exchanges',
    use: 'More fields of a token exchange, and the option `exchange` of `createRequestFetch` and `attachToken`.',
    file: 'packages/core/src/clients/exchange-request.ts',
    name: 'ExchangeParts',
  },
  {
    title: 'Waits',
    use: 'More fields of the argument of `getToken`, `tokenFor` and `exchange`, and the second argument of `verify`.',
    file: 'packages/core/src/shared/wait-for.ts',
    name: 'Wait',
  },
  {
    title: 'Checks',
    use: 'The argument of `check`, `decide` and `authenticate`.',
    file: 'packages/core/src/check/check-request.ts',
    name: 'CheckRequest',
  },
  {
    title: 'Facts about a check',
    use: 'The field `facts` of a check: an empty object, which the check fills in.',
    file: 'packages/core/src/check/check-facts.ts',
    name: 'CheckFacts',
  },
  {
    title: 'Choices',
    use: 'The result of `chooseClient`: one of these, or the next four.',
    file: choices,
    name: 'ClientChoice',
  },
  {
    title: "Choices of callers' own clients",
    use: 'The client of the credentials in the headers of the request.',
    file: choices,
    name: 'CallersClientChoice',
  },
  {
    title: 'Choices of a token exchange',
    use: "A token of Dex for the caller, in exchange for the caller's JWT.",
    file: choices,
    name: 'ExchangeChoice',
  },
  {
    title: 'Choices to pass',
    use: "No token of the broker: the caller's JWT stays in its header.",
    file: choices,
    name: 'PassChoice',
  },
  { title: 'Denials', use: 'A refusal with 403.', file: choices, name: 'Denial' },
  {
    title: 'Additions to choices',
    use: 'More fields of every choice other than a denial.',
    file: choices,
    name: 'Admission',
  },
  {
    title: 'Requests that rules read',
    use: 'The second argument of `chooseClient`.',
    file: 'packages/core/src/check/incoming-request.ts',
    name: 'IncomingRequest',
  },
  {
    title: 'Outgoing calls',
    use: 'The second argument of `createFetch`, `createRequestFetch`, `tokenInterceptor`, `axiosInterceptor` and `gotHooks`. `headerProvider` takes `allow`, `token` and `exchange`.',
    file: 'packages/core/src/outbound/outgoing-tokens.ts',
    name: 'OutgoingTokenOptions',
  },
  {
    title: 'createFetch',
    use: 'One more option of `createFetch` and `createRequestFetch`. The latter also accepts a function of the incoming request as `token`, and an `exchange` without `subjectToken`.',
    file: 'packages/core/src/outbound/create-fetch.ts',
    name: 'CreateFetchOptions',
  },
  {
    title: 'attachToken',
    use: 'The second argument of `attachToken`.',
    file: 'packages/express-adapter/src/attach-token.ts',
    name: 'AttachTokenOptions',
  },
  {
    title: 'Refusals',
    use: 'The second argument of `refusalOf`, and the argument of `brokerErrorHandler`.',
    file: 'packages/core/src/check/verdict.ts',
    name: 'RefusalOptions',
  },
  {
    title: 'kubernetesIssuer',
    use: 'The argument of `kubernetesIssuer` of `@broker/core/kubernetes`, which creates an issuer for the option `issuers`.',
    file: 'packages/core/src/kubernetes/kubernetes-issuer.ts',
    name: 'KubernetesIssuerOptions',
  },
  {
    title: 'redisTokenStore',
    use: 'The argument of `redisTokenStore` of `@broker/redis-store`, which creates a shared token store on Redis or Valkey.',
    file: 'packages/redis-store/src/redis-token-store-options.ts',
    name: 'RedisTokenStoreOptions',
  },
  {
    title: 'sentinel',
    use: 'The option `sentinel` of `redisTokenStore`.',
    file: 'packages/redis-store/src/redis-token-store-options.ts',
    name: 'SentinelCredentials',
  },
  {
    title: 'tls',
    use: 'The option `tls` of `redisTokenStore`.',
    file: 'packages/redis-store/src/redis-token-store-options.ts',
    name: 'RedisTlsOptions',
  },
]

/** The text of docs/options.md, from the declarations of the options and `optionRules`. */
export function optionsMarkdown(rules, root) {
  const unused = new Set(Object.keys(rules))
  const tables = sections.map(({ title, use, file, name, prefix }) => {
    const source = readFileSync(path.join(root, file), 'utf8')
    const rows = interfaceMembers(source, name).map(member => {
      const rule = prefix === undefined ? undefined : rules[prefix + member.name]
      if (rule !== undefined) unused.delete(prefix + member.name)
      return optionRow(member, rule, docOfType(path.join(root, file), member.type))
    })
    return `## ${title}\n\n${use}\n\n| Option | Type | Default | Limits | Meaning |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}`
  })
  if (unused.size > 0) throw new Error(`options.md has no row for ${[...unused].join(', ')}`)
  return `${[introduction, ...tables].join('\n\n')}\n`
}

const introduction = `# Options

<!-- Generated from the declarations of the options and from optionRules: change those, not this file. -->

Every option of \`@broker/core\`, \`@broker/express-adapter\` and \`@broker/redis-store\`. Start with two of them:

\`\`\`ts
const broker = new TokenBroker({
  issuer: 'https://dex.example.com/dex',
  client: { clientId: 'reports', clientSecret, audiences: ['orders'] },
})
\`\`\`

A wrong value and an unknown name are a \`TypeError\` that starts with the option's name. \`undefined\` counts as left out. Times are in
milliseconds. An empty cell means no default or no limit. The server's variables are in [configuration.md](configuration.md).`

/** One row of a table; `docOfItsType` is for an option that says nothing itself. */
export function optionRow({ name, type, doc }, rule, docOfItsType = '') {
  const { text, defaultText } = withoutDefault(doc.replace(limitSentence(rule), '').trim(), rule)
  const cells = [`\`${name}\``, `\`${type}\``, defaultText, limitsText(rule), text || docOfItsType]
  return `| ${cells.map(cell).join(' | ')} |`
}

/** The sentence that repeats the column of limits. */
function limitSentence(rule) {
  return rule?.maxLength === undefined ? '' : `At most ${valueText(rule.maxLength)} characters.`
}

/** A `Default ...` sentence says what the column says, unless it says more. */
function withoutDefault(doc, rule) {
  const sentence = /(?:^| )Default:? ((?:[^.;]|\.(?=\S))+)(\.(?= |$)|;)/.exec(doc)
  if (rule !== undefined && 'default' in rule) {
    const isAll = sentence?.[2] === '.' && sentence[1].replaceAll('`', '') === valueText(rule.default)
    return {
      text: isAll ? without(doc, sentence) : doc,
      defaultText: code(rule, valueText(rule.default)),
    }
  }
  if (sentence?.[2] !== '.') return { text: doc, defaultText: '' }
  return { text: without(doc, sentence), defaultText: sentence[1] }
}

function without(doc, { 0: found, index }) {
  return `${doc.slice(0, index)}${doc.slice(index + found.length)}`.trim()
}

function code({ unit }, text) {
  return unit === undefined ? `\`${text}\`` : text
}

function limitsText(rule) {
  if (rule === undefined) return ''
  const { unit, min, max, maxLength, values } = rule
  if (values !== undefined) return values.map(value => `\`${value}\``).join(', ')
  if (maxLength !== undefined) return `at most ${valueText(maxLength)} characters`
  if (unit === 'ratio') return `above ${min}, at most ${max}`
  return min === undefined ? '' : `${valueText(min)} to ${valueText(max)}`
}

function valueText(value) {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value)
}

/** The doc comment of a type that a file declares or imports by name; empty for others. */
function docOfType(file, type) {
  if (!/^[A-Z]\w*$/.test(type)) return ''
  const source = readFileSync(file, 'utf8')
  const imported = new RegExp(`^import .*\\b${type}\\b.* from '(\\..*)'$`, 'm').exec(source)?.[1]
  if (imported !== undefined) return docOfType(path.resolve(path.dirname(file), imported), type)
  return declarationDoc(source, type)
}

function cell(text) {
  return text.replaceAll('|', '\\|')
}
