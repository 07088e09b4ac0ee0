import { parseDocument } from 'yaml'
import { failed, ok, type Report } from './check-result.ts'
import type { DoctorContext } from './doctor-context.ts'
import { clusterFindings, filterFindings } from './envoy-config-rules.ts'
import type { EnvoyMessage } from './envoy-message.ts'

const filterType = 'envoy.extensions.filters.http.ext_authz.v3.ExtAuthz'

/** Checks the ext_authz filters of a bootstrap, YAML or JSON, against what the broker needs. */
export function checkEnvoyConfig({ config }: DoctorContext, text: string, report: Report): void {
  const root = rootOf(text)
  const filters = [...messagesIn(root)].filter(isFilter)
  if (filters.length === 0) {
    report(
      failed(
        'ext_authz',
        root === undefined ? 'the file is not YAML' : 'the file has no ext_authz filter',
        'give --envoy-config the bootstrap, or the dump of the configuration, with the filter envoy.filters.http.ext_authz',
      ),
    )
    return
  }
  const clusters = [...messagesIn(root)].filter(
    each => typeof each['name'] === 'string' && 'load_assignment' in each,
  )
  for (const [index, filter] of filters.entries()) {
    const prefix = filters.length === 1 ? '' : `filter ${index + 1}: `
    const findings = [...filterFindings(filter, config), ...clusterFindings(filter, clusters)]
    for (const finding of findings) report({ ...finding, name: `${prefix}${finding.name}` })
    if (findings.length === 0) report(ok(`${prefix}ext_authz`, 'is set as the broker needs it'))
  }
}

/** `undefined` for text that is not YAML, and for aliases without an anchor or without bounds. */
function rootOf(text: string): unknown {
  const document = parseDocument(text, { uniqueKeys: false })
  if (document.errors.length > 0) return undefined
  try {
    return document.toJS({ maxAliasCount: 100 })
  } catch {
    return undefined
  }
}

function isFilter({ '@type': type }: EnvoyMessage): boolean {
  return typeof type === 'string' && type.endsWith(`/${filterType}`)
}

/** Every object in a value, from the top. */
function* messagesIn(value: unknown): Generator<EnvoyMessage> {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) yield value as EnvoyMessage
  for (const child of Object.values(value)) yield* messagesIn(child)
}
