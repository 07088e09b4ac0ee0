import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client'
import { version } from '../version.ts'

/** Gauges of prom-client that are named like counters; each is the sum of the one without `_total`. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
]

/** Adds the metrics of the process and of Node.js, and which version runs. */
export function addProcessMetrics(registry: Registry, prefix: string): void {
  collectDefaultMetrics({ register: registry })
  for (const name of misnamed) registry.removeSingleMetric(name)
  const build = new Gauge({
    name: `${prefix}build_info`,
    help: 'Always 1; its labels are the versions of dex-token-broker and of Node.js.',
    labelNames: ['version', 'node'],
    registers: [registry],
  })
  build.set({ version: version(), node: process.versions.node }, 1)
}
