// Writes the figures of a run into docs/performance.md and docs/performance.svg: node bench/src/publish.ts [file]
import { readFileSync, writeFileSync } from 'node:fs'
import type { BenchResult } from './bench-result.ts'
import { benchMarkdown } from './publish/bench-markdown.ts'
import { benchPlot } from './publish/bench-plot.ts'

const begin = '<!-- bench:begin -->'
const end = '<!-- bench:end -->'
const page = new URL('../../docs/performance.md', import.meta.url)
const plot = new URL('../../docs/performance.svg', import.meta.url)

const file = process.argv[2] ?? new URL('../results/latest.json', import.meta.url)
const result: BenchResult = JSON.parse(readFileSync(file, 'utf8'))
if (result.modes.length === 0) throw new Error('the run has no figures of servers: pnpm bench --publish')
const text = readFileSync(page, 'utf8')
const from = text.indexOf(begin)
const to = text.indexOf(end)
if (from < 0 || to < from) throw new Error(`docs/performance.md has no region between ${begin} and ${end}`)
writeFileSync(page, `${text.slice(0, from)}${begin}\n\n${benchMarkdown(result)}\n\n${text.slice(to)}`)
writeFileSync(plot, benchPlot(result))
console.log('docs/performance.md and docs/performance.svg are written')
