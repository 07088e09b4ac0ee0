import { variableGroups } from '../../packages/server/src/config/schema/variable-groups.ts'

const introduction = `# Configuration

<!-- Generated from the server's configuration schema: change the schema, not this file. -->

The server is configured with environment variables. \`dex-token-broker --help\` prints this list, and
\`dex-token-broker --check-config\` validates the environment and prints the effective configuration with secrets masked.
A start with a wrong configuration fails and names every fault at once.

## How values are written

- **Empty means unset.** A variable that is set to the empty text has its default, as in the Go service. Unknown variables are ignored.
- **Duration**: Go's syntax, decimal numbers with a unit: \`ns\`, \`us\` (or \`µs\`), \`ms\`, \`s\`, \`m\`, \`h\`. Examples: \`500ms\`, \`5s\`,
  \`1m30s\`, \`1.5h\`. A number without a unit is refused, except \`0\`; so are negative durations and those longer than
  \`596h31m23.647s\`. Fractions of a millisecond are rounded up. For \`SHUTDOWN_TIMEOUT\`, \`HTTP_TIMEOUT\`, \`CACHE_CLEANUP_INTERVAL\` and
  \`EXPIRY_SAFETY_MARGIN\` a zero stands for the default.
- **Boolean**: \`1\`, \`t\`, \`T\`, \`TRUE\`, \`true\`, \`True\`, or \`0\`, \`f\`, \`F\`, \`FALSE\`, \`false\`, \`False\`.
- **Address**: \`host:port\`. Without a host (\`:8080\`) it is every interface; port \`0\` lets the system choose; an IPv6 address goes in
  brackets (\`[::1]:8080\`).
- **URL**: \`https://\` or \`http://\`, with a host, without user name, password or fragment. \`http://\` only for \`localhost\`,
  \`127.0.0.0/8\` and \`[::1]\`, unless \`ALLOW_INSECURE_DEX_URL\` is true. An issuer is compared as it is written, trailing slash included.
- **Header name**: in any case. Refused are hop-by-hop headers, those that describe the body (\`content-length\`, \`content-type\`,
  \`content-encoding\`), \`expect\`, \`host\`, \`cache-control\` and Envoy's own \`x-envoy-...\`.
- **Level**: \`DEBUG\`, \`INFO\`, \`WARN\` or \`ERROR\` in any case, with an optional offset as in Go's slog: \`INFO+2\`.`

const rules = `## Rules between variables

- The JWT gate is on when \`JWKS_URL\`, \`JWT_ISSUER\` or \`JWT_AUDIENCE\` is set. It then needs \`STATIC_CLIENT_ID\`, and keys:
  \`JWKS_URL\`, or \`DEX_ISSUER\`, whose own keys are used without \`JWKS_URL\`; the expected issuer is then \`DEX_ISSUER\` unless \`JWT_ISSUER\` is set.
- \`DEX_TOKEN_URL\` and \`JWKS_URL\`, when they are set, win over what \`DEX_ISSUER\` says.
- \`JWKS_MAX_STALE\` is at least \`JWKS_MAX_AGE\`.
- \`CLIENT_ID_HEADER\`, \`CLIENT_SECRET_HEADER\`, \`SCOPE_HEADER\` and, with a gate, \`JWT_HEADER\` are different headers.
- \`UPSTREAM_TOKEN_HEADERS\` maps at most one field onto a header, and none onto \`UPSTREAM_AUTH_HEADER\`.
- The scope that \`STATIC_SCOPE\` and \`STATIC_AUDIENCES\` make together has at most 1024 characters.
- \`ADMIN_ADDR\`, when it is set, is not \`LISTEN_ADDR\`.

## Warnings at the start

Allowed, but logged as a warning:

- \`STATIC_CLIENT_ID\` and \`STATIC_CLIENT_SECRET\` without a JWT gate: whoever reaches the check listener gets a token.
- \`STATIC_CLIENT_ID\` and \`STATIC_CLIENT_SECRET\` without \`STATIC_SCOPE\`: callers choose the scope under the broker's identity.
- A JWT gate without \`JWT_AUDIENCE\`: a JWT that was made for any other service is accepted too.
- A \`JWT_ISSUER\` other than \`DEX_ISSUER\` while Dex's own keys are used: no JWT of that Dex passes.
- An \`http://\` URL beyond loopback, which \`ALLOW_INSECURE_DEX_URL\` makes possible.`

/** The text of docs/configuration.md: how values are written, then every variable under a heading of its own. */
export function configurationMarkdown(): string {
  const groups = variableGroups().map(({ title, variables }) => {
    const entries = variables.map(({ name, type, description, defaultText, example, secret }) => {
      const facts = [
        `- Type: ${type}${secret ? '; a secret, never printed' : ''}`,
        `- Default: ${defaultText === undefined ? 'not set' : `\`${defaultText}\``}`,
        `- Example: \`${name}=${example}\``,
      ]
      return `### ${name}\n\n${escapeHtml(description)}\n\n${facts.join('\n')}`
    })
    return [`## ${title}`, ...entries].join('\n\n')
  })
  return `${[introduction, ...groups, rules].join('\n\n')}\n`
}

/** Keeps placeholders such as `<token>` visible: Markdown takes them for tags. */
function escapeHtml(text: string): string {
  return text.replaceAll('<', '&lt;')
}
