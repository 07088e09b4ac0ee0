// Writes the figures of a run into docs/performance.md, docs/performance.svg and docs/comparison.md: node bench/src/publish.ts [file]
import { readFileSync, writeFileSync } from 'node:fs'
import type { BenchResult } from './bench-result.ts'
import { benchPlot } from './publish/bench-plot.ts'
import { comparisonPage } from './publish/comparison-page.ts'
import { byProtocol, performancePage } from './publish/performance-page.ts'

const page = new URL('../../docs/performance.md', import.meta.url)
const comparison = new URL('../../docs/comparison.md', import.meta.url)
const plot = new URL('../../docs/performance.svg', import.meta.url)

const file = process.argv[2] ?? new URL('../results/latest.json', import.meta.url)
const result: BenchResult = JSON.parse(readFileSync(file, 'utf8'))
const { overHttp } = byProtocol(result)
if (result.modes.length === 0 && result.throughEnvoy === undefined && result.settings === undefined) {
  throw new Error('the run has no figures of servers: pnpm bench --publish')
}
writeFileSync(page, performancePage(readFileSync(page, 'utf8'), result))
writeFileSync(comparison, comparisonPage(readFileSync(comparison, 'utf8'), result))
if (overHttp.modes.length > 0) writeFileSync(plot, benchPlot(overHttp))
console.log('docs/performance.md, docs/performance.svg and docs/comparison.md are written')
