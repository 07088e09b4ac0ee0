import { option, type Variable } from '../variable.ts'
import * as kind from '../variable-kinds.ts'

const group = 'Headers for the backend'

/** The variables of the group "Headers for the backend". */
export const backendHeaderVariables = {
  UPSTREAM_AUTH_HEADER: option('authorizationHeader', {
    group,
    kind: kind.header,
    defaultText: 'Authorization',
    description: 'Header that carries "Bearer <token>" to the backend.',
  }),
  UPSTREAM_TOKEN_HEADERS: option('tokenHeaders', {
    group,
    kind: kind.mappings,
    example: 'access_token:x-access-token,expires_in:x-expires-in',
    description:
      "Additional headers for the backend, from fields of Dex's token response. A field without a header uses its own name.",
  }),
} satisfies Readonly<Record<string, Variable>>
