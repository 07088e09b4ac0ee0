import { flowText } from '../../packages/server/src/config/file/flow-text.ts'
import { documentationOf, keysAt, schemaAt } from '../../packages/server/src/config/file/schema-at.ts'
import { variableGroups } from '../../packages/server/src/config/schema/variable-groups.ts'

/** The text of docs/configuration-file.md, with its snippets still empty. */
export function configurationFileMarkdown(): string {
  return `# Configuration file

<!-- Generated: the tables from the schema in packages/server/src/config/file, the text from scripts/docs/configuration-file-markdown.ts. -->

Write down who may have which token: issuers of JWTs, clients of Dex, and rules. Name the file in \`CONFIG_FILE\`, check it, start:

\`\`\`sh
export REPORTS_SECRET=change-me
export CONFIG_FILE=docs/configuration-file.yaml
dex-token-broker --check-config   # every fault with line and column; else what is in effect, secrets masked
dex-token-broker
\`\`\`

<!-- snippet: docs/configuration-file.yaml -->
<!-- /snippet -->

A caller with a JWT of \`staff\` or \`dex\` passes the gate. The first rule that matches decides; a request that no rule matches is refused with
403. Without \`rules\`, every admitted request gets the token of \`STATIC_CLIENT_ID\`.

## Syntax

- YAML 1.2 in UTF-8, one document, at most 1 MiB. Tags, merge keys (\`<<\`) and keys that appear twice are refused. Aliases may copy up to 100 values.
- An unknown key is refused, and the fault names the nearest known one.
- Paths of files in the file are relative to its folder. \`settings.DEX_CA_FILE\` and the other paths in \`settings\` are relative to
  the working directory, as the variables are.
- The broker reads the file again when it changes: [Reload](#reload).

## Precedence

1. An environment variable that is set and not empty.
2. The same name under \`settings\`.
3. The default in [Configuration](configuration.md).

With \`issuers\`, the variables of a single issuer are refused: \`JWKS_URL\`, \`JWT_ISSUER\`, \`JWT_AUDIENCE\`, \`GROUPS_CLAIM\`, \`MACHINE_AUDIENCES\` and \`JWT_ALGORITHMS\`.
\`REQUIRED_GROUPS\`, \`REQUIRED_SCOPES\`, \`JWT_HEADER\` and the other variables of the gate apply to all issuers. With \`rules\`, the gate does not
need \`STATIC_CLIENT_ID\`.

## Reload

Change the file, or a file that it names. The change takes effect within 10 s, with no restart and no lost check:

\`\`\`sh
kubectl create configmap dex-token-broker --from-file=config.yaml --dry-run=client -o yaml | kubectl apply -f -
kill -HUP "$BROKER_PID"   # outside Kubernetes: at once
\`\`\`

The broker looks every 2 s at \`CONFIG_FILE\` and at the files that it or a variable names: secrets, keys, certificates, and the files of the
[shared store](scaling.md). It follows links anew each time, so it sees the swap of a mounted ConfigMap or Secret. Kubernetes takes
longer to update the volume, and never updates a \`subPath\` mount: [Secrets](secrets.md#kubernetes). A change counts when two looks find the same content, so a file that is being
written in place is not taken half-written. SIGHUP takes the files as they are, at once:
finish writing them first, or rename new files over the old ones.

| Change | Effect |
| --- | --- |
| clients, rules, issuers, most \`settings\` | for every check that arrives afterwards; a check under way ends with what it began with |
| a client, rule or issuer that did not change | keeps its tokens, circuits and keys; no request is made for it |
| \`UPSTREAM_AUTH_HEADER\`, \`UPSTREAM_TOKEN_HEADERS\` | as above, and drops all cached tokens, because these carry the old headers |
| a client secret | for the next token request; cached tokens stay valid. While Dex rejects the new secret, the previous one is used |
| keys of the shared store | for the next token request; cached tokens stay valid |
| password and certificates of the shared store | for the next connection to it |
| certificates | for new connections; requests under way are finished |
| a new issuer | its keys are loaded at once. A broker that is ready stays ready meanwhile |
| ${restartSettings()} in \`settings\` | at the next start; one warning names them, and everything else takes effect |
| an environment variable, a secret by \`env\` | none: the environment of a process does not change. Restart the broker |

A fault stops only what it concerns, and nothing that works stops working:

| Fault | Effect |
| --- | --- |
| any fault in \`CONFIG_FILE\` | the file as it was stays in effect as a whole; rotated secrets and certificates take effect all the same |
| \`CONFIG_FILE\` without the JWT gate, the rules or the entries that it had | a fault in \`CONFIG_FILE\`: a reload never opens a gated broker |
| a secret or certificate file that is empty, unreadable, cut off or removed | its last good content stays in effect; everything else takes effect |
| a new client whose secret cannot be read | a fault in \`CONFIG_FILE\`; it ends when the secret appears |
| a file that keeps changing for 10 s | its last good content stays in effect until it stops; everything else takes effect |
| a file whose read does not end, on a volume that hangs | no file takes effect until it ends |

A file that is empty or cut off for a moment is often valid, and would admit every caller. So removing the JWT gate, all rules or all entries takes a
restart. Without a restart, one rule gives every caller that the gate admits the default client's token, \`{ name: all, when: 'true', client: default }\`,
or refuses everybody, \`{ name: nobody, when: 'true', deny: closed }\`. At the start, an empty file beside \`STATIC_CLIENT_SECRET\` is refused, unless
there is another gate or \`ALLOW_UNAUTHENTICATED_CALLERS=true\`.

The log has one line \`configuration files have faults\` with every place, once per content. \`dex_token_broker_config_faults\` is above 0 until the
files are in order, and the alert \`ConfigurationFaulty\` fires. Check a file before you roll it out with \`dex-token-broker --check-config\`: after
a restart, a faulty file stops the start.

## The keys of the file

${keyTable([])}

\`apiVersion: dex-token-broker/v1\` promises that a key of v1 keeps its meaning. New optional keys may be added. A change that breaks a file
gets a new version, and the broker then refuses versions that it does not know.

## settings

Any variable of [Configuration](configuration.md), except \`CONFIG_FILE\` and secrets (\`STATIC_CLIENT_SECRET\`; \`STATIC_CLIENT_SECRET_FILE\` is
allowed). A value is written as in the
environment, or as a YAML number, boolean or list:

\`\`\`yaml
settings:
  CACHE_MAX_ENTRIES: 4096
  STRIP_CREDENTIAL_HEADERS: true
  STATIC_AUDIENCES: [orders, billing]
\`\`\`

## issuers

${keyTable(['issuers', 0])}

### kubernetes

${keyTable(['issuers', 0, 'kubernetes'])}

## clients

${keyTable(['clients', 0])}

### clientSecret

${keyTable(['clients', 0, 'clientSecret'])}

### authentication

A client of a server other than Dex can prove its identity by a private key or a certificate:

\`\`\`yaml
clients:
  - name: reports
    clientId: reports
    authentication: { method: private_key_jwt, keyFile: /run/secrets/reports.key }
\`\`\`

${keyTable(['clients', 0, 'authentication'])}

Clients with the same \`dex\` share one certificate. Rotate a key like [a secret](secrets.md#rotate-a-client-secret): cached tokens stay in use.

## rules

A rule has exactly one of \`client\`, \`exchange\`, \`pass\` and \`deny\`. The broker compiles and checks all expressions when it reads the file.

${keyTable(['rules', 0])}

### exchange

The caller's verified JWT becomes a Dex token of the same user: [Token exchange](token-exchange.md).

${keyTable(['rules', 0, 'exchange'])}

Without a gate, a rule that hands out the token of a configured client needs \`ALLOW_UNAUTHENTICATED_CALLERS=true\`, and no rule can read
\`caller\` or exchange a JWT.

## Completion and checks in an editor

The package has a JSON Schema. With the YAML language server (the YAML extension of VS Code, and others), begin the file with its path:

\`\`\`yaml
# yaml-language-server: $schema=node_modules/@broker/server/config.schema.json
\`\`\`

The schema knows keys, types and forms. Only \`--check-config\` knows whether names exist, secrets can be read, and expressions compile.

## Faults

A file with faults stops the start. Every fault is reported at once, with variables first:

\`\`\`text
config.yaml:12:19: clients[1].clientSecret: holds the secret itself; name the environment variable or the file that holds it; example: clientSecret: { file: /run/secrets/reports }
\`\`\`

In the JSON log, each fault is a line with \`file\`, \`line\`, \`column\`, \`key\`, \`problem\` and \`example\`.

| Fault | Place |
| --- | --- |
| the file does not exist, is not a regular file, is too large or not UTF-8 | \`CONFIG_FILE\` |
| not YAML 1.2, a key twice, a tag, too many aliases, a second document | where the YAML breaks |
| an unknown key, an unknown variable in \`settings\` | the key |
| a wrong type, an invalid value, a URL that is not https | the value |
| a missing key | the entry that lacks it |
| a name or an issuer's URL that appears twice | the second one |
| a name that does not exist: \`client\` of a rule or of its \`exchange\`, \`dex\` of a client | the name |
| \`exchange\` without a gate | the exchange |
| a scope that is too long together with its audiences | the audiences, or the scope of the rule |
| a literal secret; a secret whose variable or file is absent, empty or unreadable | the secret's source; the secret is never printed |
| an expression that does not compile, or reads \`caller\` without a gate | the character in the expression |
| a header in \`set\` that is reserved, or that the broker itself reads or sets | the header's name |
| variables of a single issuer together with \`issuers\` | the variable |
`
}

/** The settings that a reload does not change. */
function restartSettings(): string {
  const variables = variableGroups().flatMap(group => group.variables)
  return variables
    .filter(({ needsRestart }) => needsRestart)
    .map(({ name }) => `\`${name}\``)
    .join(', ')
}

function keyTable(path: readonly (string | number)[]): string {
  const rows = keysAt(path).map(key => {
    const { description = '', example } = documentationOf(schemaAt([...path, key]))
    const isRequired = schemaAt([...path, key])?._zod.optin !== 'optional'
    return [`\`${key}\``, isRequired ? 'yes' : '', description, `\`${flowText(example)}\``]
  })
  return [['Key', 'Required', 'Meaning', 'Example'], ['---', '---', '---', '---'], ...rows]
    .map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`)
    .join('\n')
}
