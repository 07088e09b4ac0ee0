import { type CommandDescription, helpOption } from '../command-line/command-description.ts'

/** The description of the command `doctor`. */
export const doctorCommand = {
  name: 'doctor',
  summary: 'check everything that the broker depends on, and say what to do',
  introduction: [
    'Checks the configuration, and everything that the broker depends on, with the environment of the broker: names, connections, certificates, discovery, keys, clocks, the grant, a token for each configured client, the shared store, and the addresses of the listeners.',
    'Starts nothing, and prints no secret and no token. Takes at most 30 seconds, and HTTP_TIMEOUT for each check.',
  ],
  options: {
    json: { type: 'boolean', text: 'print one JSON document instead of text' },
    'jwt-file': {
      type: 'string',
      value: 'FILE',
      text: "walk a caller's JWT through the gate and the rules; - reads standard input",
    },
    method: {
      type: 'string',
      value: 'METHOD',
      default: 'GET',
      text: 'the method of the request for which the rules are asked',
    },
    path: {
      type: 'string',
      value: 'PATH',
      default: '/',
      text: 'the path of the request for which the rules are asked',
    },
    envoy: {
      type: 'string',
      value: 'URL',
      text: 'send requests through Envoy to a path behind it, and check the ext_authz filter by the answers',
    },
    client: {
      type: 'string',
      value: 'NAME',
      text: 'the configured client whose credentials are sent through Envoy, where callers need some',
    },
    'client-id': {
      type: 'string',
      value: 'ID',
      text: "a caller's client, in place of --client, with --client-secret-file",
    },
    'client-secret-file': {
      type: 'string',
      value: 'FILE',
      text: "the secret of a caller's client; - reads standard input",
    },
    'envoy-config': {
      type: 'string',
      value: 'FILE',
      text: 'check the ext_authz filter in a bootstrap of Envoy, YAML or JSON',
    },
    ...helpOption,
  },
  notes: ['Exit status: 0 when no check failed, 1 when one did, 2 for wrong arguments.'],
} as const satisfies CommandDescription
