import { type CommandDescription, helpOption } from '../command-line/command-description.ts'

/** The description of the command `explain`. */
export const explainCommand = {
  name: 'explain',
  summary: 'show how the rules decide about a request, without requesting a token',
  introduction: [
    'Shows what the broker does with a request: the caller, how each rule decides, the client, and the headers. Requests no token. With a JWT gate, --jwt-file or --claims names the caller.',
  ],
  options: {
    'jwt-file': {
      type: 'string',
      value: 'FILE',
      text: "the caller's JWT, verified with the keys of its issuer; - reads standard input",
    },
    claims: {
      type: 'string',
      value: 'FILE',
      text: "the caller's claims as JSON; nothing is sent, and iss and exp may be absent",
    },
    issuer: {
      type: 'string',
      value: 'NAME',
      text: 'the issuer of the claims, by its name in CONFIG_FILE',
    },
    method: { type: 'string', value: 'METHOD', default: 'GET', text: 'the method of the request' },
    path: { type: 'string', value: 'PATH', default: '/', text: 'path and query, as the client sends them' },
    header: {
      type: 'string',
      value: "'NAME: VALUE'",
      multiple: true,
      text: 'a header of the request',
    },
    context: {
      type: 'string',
      value: 'KEY=VALUE',
      multiple: true,
      text: 'an entry of context_extensions of the route',
    },
    ...helpOption,
  },
} as const satisfies CommandDescription
