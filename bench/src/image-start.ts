// Compares how builds of the server start: the time and CPU to the first answered check, and the memory at that moment.
//   node bench/src/image-start.ts [--starts=15] <name>=<command.js> <name>=<command.js> ...
// Medians and least figures; the ratio is of the medians, to the first one's: it holds on a busy machine too.
import { parseArgs } from 'node:util'
import { type Start, startInTurn } from './starts.ts'
import { median } from './statistics.ts'

const mib = 1024 * 1024
/** The compared figures, with their units. */
const columns: readonly [string, (start: Start) => number][] = [
  ['ms', start => start.milliseconds],
  ['ms CPU', start => start.cpuSeconds * 1000],
  ['MiB RSS', start => start.rssBytes / mib],
  ['MiB anonymous', start => (start.anonymousBytes ?? Number.NaN) / mib],
]

const { values, positionals } = parseArgs({
  options: { starts: { type: 'string', default: '15' } },
  allowPositionals: true,
})
const builds = positionals.map(argument => {
  const at = argument.indexOf('=')
  return [argument.slice(0, at), argument.slice(at + 1).split(' ')] as const
})
if (builds.length < 2 || builds.some(([name]) => name === '')) {
  console.error(
    'Usage: node bench/src/image-start.ts [--starts=15] <name>=<command.js> <name>=<command.js> ...',
  )
  process.exit(2)
}
const commands = Object.fromEntries(builds.map(([name, args]) => [name, [process.execPath, ...args]]))
const all = await startInTurn(commands, Number(values.starts))
const [first] = all.values()
for (const [name, starts] of all) {
  const figures = columns.map(([unit, of]) => {
    const values = starts.map(of)
    const ratio = median(values) / median((first ?? []).map(of))
    return `${text(median(values))} ${unit} (least ${text(Math.min(...values))}, ratio ${ratio.toFixed(2)})`
  })
  console.log(`${name}: ${figures.join(', ')}`)
}

function text(value: number): string {
  return value.toFixed(value < 100 ? 1 : 0)
}
