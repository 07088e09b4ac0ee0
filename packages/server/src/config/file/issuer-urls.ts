import type { IssuerDefinition } from './file-schema.ts'

const urlKeys = ['issuer', 'discoveryUrl', 'jwksUri', 'tokenEndpoint'] as const

/** The URLs to which requests for an issuer go. */
export function urlsOf(
  definition: IssuerDefinition,
): readonly { readonly key: string; readonly url: string }[] {
  // The URL of a Kubernetes API server is always https.
  if (definition.kubernetes !== undefined) return []
  return urlKeys.flatMap(key => {
    const url = definition[key]
    // The issuer is only a name when all that is needed has its own URL.
    const isName = key === 'issuer' && (definition.discoveryUrl ?? definition.jwksUri) !== undefined
    return url === undefined || isName ? [] : [{ key, url }]
  })
}
