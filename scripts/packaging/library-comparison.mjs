const kib = bytes => (bytes / 1024).toLocaleString('en', { maximumFractionDigits: 0 })
const tenthKib = bytes => (bytes / 1024).toFixed(1)
const spread = ({ median, min, max }) => `${median.toFixed(0)} (${min.toFixed(0)} to ${max.toFixed(0)})`

const columns = [
  ['library', ({ name, version }) => (version === undefined ? `\`${name}\`` : `\`${name}\` ${version}`)],
  ['installed, KiB', ({ installed }) => kib(installed.bytes)],
  ['packages', ({ installed }) => String(installed.packages)],
  ['bundled and minified, KiB', ({ bundle }) => tenthKib(bundle.bytes)],
  ['with gzip, KiB', ({ bundle }) => tenthKib(bundle.gzipBytes)],
  ['import, ms', ({ imports }) => spread(imports.wallMs)],
  ['import, CPU ms', ({ imports }) => spread(imports.cpuMs)],
  ['import of the bundle, CPU ms', ({ bundleImports }) => spread(bundleImports.cpuMs)],
  ['token requests, 20 calls at once', ({ tokenRequests }) => String(tokenRequests.atOnce)],
  ['20 calls later', ({ tokenRequests }) => String(tokenRequests.later)],
]

/** The table of docs/comparison.md, in Markdown. */
export function libraryComparison({ date, machine, runs, libraries }) {
  const { cores, architecture, platform, node } = machine
  const rows = [
    columns.map(([title]) => title),
    columns.map((_, index) => (index === 0 ? '---' : '---:')),
    ...libraries.map(library => columns.map(([, cell]) => cell(library))),
  ]
  return [
    `${date}; ${cores} cores (${architecture}, ${platform}), Node.js ${node}; imports in ${runs} new processes each, in turn.`,
    rows.map(cells => `| ${cells.join(' | ')} |`).join('\n'),
  ].join('\n\n')
}

/** The libraries of a page with such a table: `{ name, version }`. */
export function librariesIn(page) {
  const [, region = ''] = page.split('<!-- library-comparison:begin -->')
  const [table] = region.split('<!-- library-comparison:end -->')
  return [...table.matchAll(/^\| `([^`]+)`(?: (\S+))? \|/gm)].map(([, name, version]) => ({ name, version }))
}
