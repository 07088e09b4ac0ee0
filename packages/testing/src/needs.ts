/** Needs of tests that not every machine meets: variables that name a binary or a tool. */
export type Need =
  | 'ENVOY_BIN'
  | 'ENVOY_GATEWAY_BIN'
  | 'DEX_BIN'
  | 'PEER_BIN'
  | 'KUBE_APISERVER_BIN'
  | 'ETCD_BIN'
  | 'CRDS_DIR'
  | 'REDIS_SERVER_BIN'
  | 'CHROMIUM_BIN'
  | 'PROMETHEUS_BIN'
  | 'PROMTOOL_BIN'
  | 'TOFU_BIN'
  | 'HELM_BIN'
  | 'KUSTOMIZE_BIN'
  | 'openssl'
  | 'bash'
  | 'zsh'
  | 'fish'
  | 'kubectl'

declare module 'vitest' {
  interface TaskMeta {
    /** The needs that were not met when the test was skipped; `scripts/check/test-reports.mjs` counts the tests by it. */
    needs?: readonly Need[]
  }
}

/** Options of a test or a `describe` that is skipped when something is missing; its report says what. */
export function needs(available: Readonly<Partial<Record<Need, boolean>>>): {
  skip: boolean
  meta: { needs?: readonly Need[] }
} {
  const missing = (Object.keys(available) as Need[]).filter(need => !available[need])
  return missing.length === 0 ? { skip: false, meta: {} } : { skip: true, meta: { needs: missing } }
}
