import { variableGroups } from '../../packages/server/src/config/schema/variable-groups.ts'
import { type MinimalConfiguration, minimalConfigurations } from './minimal-configurations.ts'

const introduction = `# Configuration

<!-- Generated from the server's configuration schema: change the schema, not this file. -->

Set environment variables, check them, start. In a clone, \`dex-token-broker\` is \`node packages/server/dist/command.js\`:

\`\`\`sh
export DEX_ISSUER=https://dex.example.com/dex
dex-token-broker --check-config   # validates; prints what is in effect, secrets masked
dex-token-broker                  # --help prints every variable with its default
\`\`\`

A wrong configuration stops the start and lists every fault at once. Several issuers, several clients and rules need a
[configuration file](configuration-file.md).

The environment of a process never changes. Files do: the broker reads \`CONFIG_FILE\`, \`DEX_CA_FILE\`, \`STATIC_CLIENT_SECRET_FILE\`, the files of the shared store and every file
that the configuration file names again when they change, and at SIGHUP. [Reload](configuration-file.md#reload) says how. A secret that you want to
rotate without a restart must therefore be in a file.

## Minimal configurations`

const values = `Prefer \`DEX_ISSUER\` to \`DEX_TOKEN_URL\`: only with Dex's key set, which discovery finds, can the broker drop tokens whose signing key
Dex has lost.

## Syntax of values

| Kind | Syntax |
| --- | --- |
| path | Relative to the working directory. |
| empty | An empty variable counts as unset and has its default, as in the Go service. Unknown variables are ignored; one that looks like a misspelt variable of the broker causes a warning. |
| duration | Go's syntax, decimal numbers with a unit: \`ns\`, \`us\` (or \`µs\`), \`ms\`, \`s\`, \`m\`, \`h\`. Examples: \`500ms\`, \`5s\`, \`1m30s\`, \`1.5h\`. Rejected: numbers without a unit (except \`0\`), negative durations, and more than \`596h31m23.647s\`. Fractions of a millisecond are rounded up. \`0\` means the default for \`SHUTDOWN_TIMEOUT\`, \`HTTP_TIMEOUT\`, \`CACHE_CLEANUP_INTERVAL\` and \`EXPIRY_SAFETY_MARGIN\`. |
| boolean | \`1\`, \`t\`, \`T\`, \`TRUE\`, \`true\`, \`True\`, or \`0\`, \`f\`, \`F\`, \`FALSE\`, \`false\`, \`False\` |
| address | \`host:port\`. Without a host (\`:8080\`) it means every interface. Port \`0\` lets the system choose. IPv6 addresses need brackets: \`[::1]:8080\`. |
| URL | \`https://\` or \`http://\` with a host, without user name, password or fragment. \`http://\` only for \`localhost\`, \`127.0.0.0/8\` and \`[::1]\`, unless \`ALLOW_INSECURE_DEX_URL\` is true. An issuer is compared exactly as written, trailing slash included. |
| header name | Case does not matter. Rejected: hop-by-hop headers, headers that describe the body (\`content-length\`, \`content-type\`, \`content-encoding\`), \`expect\`, \`host\`, \`cache-control\`, and Envoy's own \`x-envoy-...\`. |
| level | \`DEBUG\`, \`INFO\`, \`WARN\` or \`ERROR\` in any case, with an optional offset as in Go's slog: \`INFO+2\` |`

const rules = `## Rules between variables

| Variables | Rule |
| --- | --- |
| \`JWKS_URL\`, \`JWT_ISSUER\`, \`JWT_AUDIENCE\` | Each of them enables the JWT gate. The gate needs \`STATIC_CLIENT_ID\`, unless the configuration file has rules, and a key set: \`JWKS_URL\`, or else Dex's own by \`DEX_ISSUER\` or \`DEX_JWKS_URL\`. |
| \`JWT_ISSUER\` | Defaults to \`DEX_ISSUER\` when the gate uses the key set of Dex. |
| \`STATIC_CLIENT_SECRET\` without a gate | Does not start where a gate seems intended: with \`DEX_ISSUER\`, or with a variable that begins with \`JWT_\` or \`JWKS_\`, even an empty one. \`ALLOW_UNAUTHENTICATED_CALLERS=true\` allows it. |
| \`REQUIRED_GROUPS\`, \`REQUIRED_SCOPES\`, \`GROUPS_CLAIM\`, \`MACHINE_AUDIENCES\`, \`JWT_ALGORITHMS\` | Need a gate. |
| \`JWKS_URL\`, \`JWT_ISSUER\`, \`JWT_AUDIENCE\`, \`GROUPS_CLAIM\`, \`MACHINE_AUDIENCES\`, \`JWT_ALGORITHMS\` | Not together with \`issuers\` in the configuration file. |
| \`STATIC_CLIENT_SECRET\`, \`STATIC_CLIENT_SECRET_FILE\` | Only one of them. A rule about the secret applies to either. |
| \`DEX_TOKEN_URL\`, \`DEX_JWKS_URL\` | Override what discovery by \`DEX_ISSUER\` says. |
| \`JWKS_MAX_STALE\` | At least \`JWKS_MAX_AGE\`. |
| \`CLIENT_ID_HEADER\`, \`CLIENT_SECRET_HEADER\`, \`SCOPE_HEADER\`, with a gate \`JWT_HEADER\` | Must be different headers. |
| \`UPSTREAM_TOKEN_HEADERS\` | At most one field per header, and none onto \`UPSTREAM_AUTH_HEADER\`. |
| \`STATIC_SCOPE\`, \`STATIC_AUDIENCES\` | Together they make a scope of at most 1024 characters. |
| \`SHARED_STORE_URL\`, \`SHARED_STORE_KEY_FILE\` | Only together. The other files of the shared store and \`SHARED_STORE_USERNAME\` need them; a user needs \`SHARED_STORE_PASSWORD_FILE\`. |
| \`ADMIN_ADDR\` | When set, must differ from \`LISTEN_ADDR\`. |

## Warnings at startup

Allowed, but logged as a warning:

| Configuration | Consequence |
| --- | --- |
| \`STATIC_CLIENT_SECRET\` without a JWT gate and without \`ALLOW_UNAUTHENTICATED_CALLERS\` | Every request that reaches the check listener gets a token; without \`STATIC_CLIENT_ID\`, every request that names the client id. |
| \`STATIC_CLIENT_ID\` and \`STATIC_CLIENT_SECRET\` without \`STATIC_SCOPE\` | Callers choose the scope under the broker's identity. |
| a variable whose name begins like a variable of the broker, or has a typo or two | It is ignored; the warning names the likely variable. |
| a variable of OpenTelemetry that the broker does not read, with traces on | It has no effect; [traces.md](traces.md) lists what is read. |
| a client id, secret or other literal value in quotes, or with blanks at its ends | The broker uses the value as it is. |
| a JWT gate without \`JWT_AUDIENCE\` | A JWT that was made for another service is accepted. |
| \`JWT_ISSUER\` other than \`DEX_ISSUER\` with the key set of Dex | No JWT of that Dex is accepted. |
| \`ALLOWED_CLIENT_IDS\` with \`STATIC_CLIENT_ID\`, \`ALLOWED_SCOPES\` with \`STATIC_SCOPE\`, without rules | The list has no effect. |
| an issuer in the configuration file without \`audiences\`, or with an \`http://\` URL beyond loopback | As for the gate's variables. |
| a client in the configuration file that no rule uses | Nobody gets its token. |
| \`SHARED_STORE_KEY_FILE\` that every user of the machine can read | Every process of the machine can read the key; with the records of the store, also tokens. |
| a \`SHARED_STORE_URL\` without TLS beyond loopback | The password of the store and the names of records cross the network unencrypted; tokens are sealed. |
| \`SHARED_STORE_CA_FILE\` with a \`SHARED_STORE_URL\` without TLS | The certificates have no effect. |
| \`ALLOW_ROUTE_CLIENTS\` without a JWT gate, and \`GRPC_LISTEN_ADDR\` beyond loopback | Callers that reach the gRPC listener can get a token of any client. |
| an \`http://\` URL beyond loopback (\`ALLOW_INSECURE_DEX_URL\`) | Secrets, tokens and keys cross the network unencrypted. |`

/** The text of docs/configuration.md: minimal configurations, how values are written, then every variable under its own heading. */
export function configurationMarkdown(): string {
  const groups = variableGroups().map(({ title, variables }) => {
    const entries = variables.map(
      ({ name, type, description, defaultText, example, secret, needsRestart }) => {
        const facts = [
          `- Type: ${type}${secret ? '; a secret, never printed' : ''}`,
          `- Default: ${defaultText === undefined ? 'not set' : `\`${defaultText}\``}`,
          `- Example: \`${name}=${example}\``,
          ...(needsRestart ? ['- A change in the configuration file needs a restart.'] : []),
        ]
        return `### ${name}\n\n${escapeHtml(description)}\n\n${facts.join('\n')}`
      },
    )
    return [`## ${title}`, ...entries].join('\n\n')
  })
  return `${[introduction, ...minimalConfigurations.map(minimalSection), values, ...groups, rules].join('\n\n')}\n`
}

function minimalSection({ title, purpose, variables }: MinimalConfiguration): string {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  return `### ${title}\n\n${purpose}\n\n\`\`\`sh\n${lines.join('\n')}\n\`\`\``
}

/** Keeps placeholders such as `<token>` visible: Markdown takes them for tags. */
function escapeHtml(text: string): string {
  return text.replaceAll('<', '&lt;')
}
