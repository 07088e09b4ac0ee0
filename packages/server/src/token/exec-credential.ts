import type { IssuedToken } from '@broker/core'
import { WrongArguments } from '../command-line/wrong-arguments.ts'
import { quoteValue } from '../config/values/quote-value.ts'

const group = 'client.authentication.k8s.io'
/** The versions of ExecCredential; the first one is for a caller that asks for none. */
const versions: readonly string[] = [`${group}/v1`, `${group}/v1beta1`]

/**
 * The version of ExecCredential that kubectl asks for in KUBERNETES_EXEC_INFO. Throws {@link WrongArguments} for another version, and for a text
 * that is not from kubectl.
 */
export function execCredentialVersion(execInfo: string | undefined): string {
  if (!execInfo) return versions[0] as string
  const version = apiVersionIn(execInfo)
  if (version !== undefined && versions.includes(version)) return version
  const found = version === undefined ? 'has no apiVersion' : `asks for ${quoteValue(version)}`
  throw new WrongArguments(
    `KUBERNETES_EXEC_INFO ${found}; set apiVersion in the kubeconfig to ${versions[0]}`,
  )
}

/** The token for kubectl and other Kubernetes clients. */
export function execCredential(apiVersion: string, { accessToken, expiresAt }: IssuedToken): object {
  return {
    apiVersion,
    kind: 'ExecCredential',
    status: {
      token: accessToken,
      // In whole seconds, and never later than the token expires.
      expirationTimestamp: new Date(Math.floor(expiresAt / 1_000) * 1_000).toISOString().replace('.000', ''),
    },
  }
}

function apiVersionIn(execInfo: string): string | undefined {
  try {
    const { apiVersion } = Object(JSON.parse(execInfo)) as { readonly apiVersion?: unknown }
    return typeof apiVersion === 'string' ? apiVersion : undefined
  } catch {
    return undefined
  }
}
