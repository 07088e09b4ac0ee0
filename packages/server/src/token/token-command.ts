import { type CommandDescription, helpOption } from '../command-line/command-description.ts'
import { table } from '../command-line/command-help.ts'
import { exitStatus } from '../command-line/exit-status.ts'

/** The forms in which the command `token` prints a token. */
export const tokenFormats = ['token', 'header', 'json', 'kubectl'] as const

/** The description of the command `token`. */
export const tokenCommand = {
  name: 'token',
  summary: 'print an access token of Dex for a configured client',
  introduction: [
    'Requests an access token with the configuration of the broker, and prints it to standard output. Needs no running broker and no JWT gate. Everything else goes to standard error.',
  ],
  options: {
    client: {
      type: 'string',
      value: 'NAME',
      text: 'the client, by its name in CONFIG_FILE; without it, the client of STATIC_CLIENT_ID',
    },
    scope: {
      type: 'string',
      value: 'SCOPE',
      multiple: true,
      text: 'a scope, or several with spaces between them, in place of the scopes of the client',
    },
    audience: {
      type: 'string',
      value: 'CLIENT_ID',
      multiple: true,
      text: 'the client id in Dex of a service that accepts the token, in place of the audiences of the client',
    },
    format: {
      type: 'string',
      value: 'FORMAT',
      choices: tokenFormats,
      text: 'the form of the output, token by default',
    },
    header: {
      type: 'boolean',
      text: 'print the header for curl: Authorization: Bearer TOKEN. Short for --format=header',
    },
    json: {
      type: 'boolean',
      text: 'print access_token, token_type, expires_in and expires_at as JSON. Short for --format=json',
    },
    cache: {
      type: 'boolean',
      text: 'reuse the token of an earlier call until it expires, from a sealed file that only the user can read; see docs/command-line.md',
    },
    'cache-key': {
      type: 'string',
      value: 'FILE',
      text: 'the file with the key that seals cached tokens. Default: ~/.config/dex-token-broker/cache-key if it exists, else a key beside the tokens',
    },
    'min-remaining': {
      type: 'string',
      value: 'DURATION',
      text: 'how long a cached token must still be valid, such as 5m. Where tokens of Dex live for less, it is a fifth of their life. Default: EXPIRY_SAFETY_MARGIN',
    },
    timeout: {
      type: 'string',
      value: 'DURATION',
      text: 'the limit of the whole command, such as 10s. Default: HTTP_TIMEOUT',
    },
    ...helpOption,
  },
  notes: [
    `Exit status:\n${table(Object.values(exitStatus).map(({ code, meaning }) => [String(code), meaning]))}`,
  ],
} as const satisfies CommandDescription
