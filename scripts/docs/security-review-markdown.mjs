// docs/security-review.md: what the product reads, the bounds and their tests. The numbers come from the code, the dependencies from package.json.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The page for `review`, the content of security-review.json. Needs no fault in it. */
export function securityReviewMarkdown(review, { root, optionRules }) {
  const boundaries = review.boundaries.map(boundary => boundarySection(boundary, { root, optionRules }))
  const packages = Object.entries(review.dependencies).map(entry => packageSection(entry, root))
  return `# Security review

<!-- Generated from scripts/docs/security-review.json and the code: change these, not this file. -->

For a security reviewer: each input of the product with its bound, what happens beyond it, and the test that shows it. One section for each
trust boundary; [SECURITY.md](../SECURITY.md) has the settings, assets and threats. CI compares the numbers with the constants in the code, and
looks for each test by its title.

Run one test: \`cd packages/core && pnpm vitest run unusable-keys\`. Run a fuzz target of the last column: \`node fuzz/src/fuzz.ts --target=key-set --seconds=60\`.

${boundaries.join('\n\n')}

## Fuzzing

\`node fuzz/src/fuzz.ts\` feeds each parser with mutated inputs; CI does so for a minute with one seed, and for half an hour each night with a random one. Block coverage of V8 tells which inputs
reach new code, and those are mutated further. For each input it checks:

| Property | How |
| --- | --- |
| only the typed error of the parser | any other exception fails |
| bounded time | CPU time of the thread, 50 ms for most parsers, up to 500 ms for a configuration file with its rules; an input that hangs for 30 s ends its thread |
| bounded memory | the thread has a heap of 384 MiB |
| no secret in a message | a secret in the inputs is looked for in every error |
| the same as a reference | jose, \`@bufbuild/protobuf\`, \`yaml\`, \`JSON.parse\`, \`atob\`, \`URL\`, \`Headers\` |
| what is accepted is accepted again | durations, mappings, lists, paths and records are written and read back |

A failing input is shortened. Once its file in \`fuzz/corpus\` is committed, it is a test. CI prints the seed, the input in base64 and the command that
runs it again ([decision 0060](decisions/0060-fuzzing.md)).

## Production dependencies

CI compares these tables with \`package.json\` of each published package. In this repository and in the image, \`pnpm-lock.yaml\` pins versions
and hashes, no dependency runs a script at installation, and a version must be three days old. An application that installs the packages has its
own lockfile, and brings the peer dependencies: \`undici\` and \`@opentelemetry/api\` for core, both optional, and \`express\` for the adapter.

${packages.join('\n\n')}

## SBOM

A release has a CycloneDX file for each published package, made by \`pnpm sbom\` from the lockfile, compared with it, and signed. The image has an SPDX
file and its provenance attached by BuildKit.

## Not covered

| Gap | Consequence |
| --- | --- |
| No audit by a third party | The claims on this page are the project's own. |
| The parsers below the product: \`node:http\`, \`node:http2\`, TLS and X.509 in OpenSSL, zlib | They are tested through the product, with hostile clients, and not fuzzed by themselves. |
| Side channels | The timing of checks is not measured. |
| Memory of the process | Strings of secrets cannot be wiped in JavaScript. Heap snapshots and core dumps hold them. |
| Code in the same process | It is trusted with everything: see [SECURITY.md](../SECURITY.md#trust). |
| OpenTelemetry's exporter | It reads the answers of the collector. The broker bounds the time alone. |
| ioredis | It reads the protocol of the store. The broker bounds the time and judges what comes out. |
| Fuzzing of a minute | It finds what is shallow. Run it for hours after a change of a parser. |
| TLS configuration | Versions and ciphers are the defaults of Node.js. |
`
}

/** The wrong references in `review`: constants, options, tests, fuzz targets and dependencies. */
export function securityReviewFaults(review, { root, optionRules, fuzzTargets, manifests }) {
  const rows = review.boundaries.flatMap(each => each.rows)
  const used = new Set(rows.map(row => row.fuzz).filter(name => name !== undefined))
  return [
    ...rows.flatMap(row => rowFaults(row, { root, optionRules, fuzzTargets })),
    ...fuzzTargets
      .filter(name => !used.has(name))
      .map(name => `no input of the security review has the fuzz target ${name}`),
    ...dependencyFaults(review.dependencies, manifests),
  ]
}

function rowFaults({ input, bound, test, fuzz, values = {} }, { root, optionRules, fuzzTargets }) {
  const faults = []
  const file = path.join(root, test.file)
  if (!existsSync(file)) faults.push(`${test.file} does not exist`)
  else if (!hasTitle(readFileSync(file, 'utf8'), test.title))
    faults.push(`${test.file} has no test "${test.title}"`)
  if (fuzz !== undefined && !fuzzTargets.includes(fuzz)) faults.push(`there is no fuzz target ${fuzz}`)
  for (const [name, value] of Object.entries(values)) {
    if (!bound.includes(`{${name}}`)) faults.push(`{${name}} is not in the bound "${bound}"`)
    if (numberOf(value, { root, optionRules }) === undefined)
      faults.push(`no value for {${name}}: ${JSON.stringify(value)}`)
  }
  for (const [, name] of bound.matchAll(/\{(\w+)\}/g))
    if (!(name in values)) faults.push(`no value for {${name}}`)
  return faults.map(fault => `security review, ${input}: ${fault}`)
}

/** A missing reason and a superfluous one. */
function dependencyFaults(dependencies, manifests) {
  return manifests.flatMap(({ name, dependencies: required = {}, optionalDependencies: optional = {} }) => {
    const needed = Object.keys({ ...required, ...optional }).filter(each => !each.startsWith('@broker/'))
    const explained = Object.keys(dependencies[name] ?? {})
    return [
      ...needed
        .filter(each => !explained.includes(each))
        .map(each => `security review: ${name} has no reason for ${each}`),
      ...explained
        .filter(each => !needed.includes(each))
        .map(each => `security review: ${name} does not need ${each}`),
    ]
  })
}

function hasTitle(text, title) {
  return ["'", '"', '`'].some(quote => text.includes(`${quote}${title}${quote}`))
}

function boundarySection({ title, text, rows }, context) {
  const cells = rows.map(row => [
    row.input,
    row.bound.replace(/\{(\w+)\}/g, (_, name) => shownValue(row.values[name], context)),
    row.beyond,
    `[${path.basename(row.test.file, '.test.ts')}](../${row.test.file}): ${row.test.title}`,
    row.fuzz ?? '',
  ])
  return `## ${title}\n\n${text}\n\n${table(['Input', 'Bound', 'Beyond it', 'Test', 'Fuzz target'], cells)}`
}

function packageSection([name, reasons], root) {
  const folder = `packages/${name.slice('@broker/'.length)}`
  const cells = Object.entries(reasons).map(([dependency, reason]) => [
    `\`${dependency}\``,
    reason,
    licenceOf(dependency, folder, root),
  ])
  const rows =
    cells.length === 0
      ? 'No dependency outside this repository.'
      : table(['Dependency', 'Reason', 'Licence'], cells)
  return `### \`${name}\`\n\n${rows}`
}

function licenceOf(dependency, folder, root) {
  return JSON.parse(readFileSync(path.join(root, folder, 'node_modules', dependency, 'package.json'), 'utf8'))
    .license
}

function table(header, rows) {
  const lines = [header, header.map(() => '---'), ...rows]
  return lines.map(cells => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`).join('\n')
}

function shownValue(value, context) {
  return inUnit(numberOf(value, context), value.unit)
}

/** The number that a constant or an option has in the code; `undefined` when there is none. */
function numberOf({ file, name, option, key }, { root, optionRules }) {
  if (option !== undefined) return optionRules[option]?.[key]
  const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : ''
  const [, expression] =
    new RegExp(`\\b${name}(?:: number)?(?: =|:) ([\\d_]+(?: (?:\\*{1,2}) [\\d_]+)*)(?:[,;]|$)`, 'm').exec(
      text,
    ) ?? []
  if (expression === undefined) return undefined
  return expression.split(' * ').reduce((product, factor) => product * Number(factor.replaceAll('_', '')), 1)
}

/** `64 KiB`, `10 s`, `1,000`. */
export function inUnit(value, unit) {
  const units = {
    bytes: [
      [2 ** 20, 'MiB'],
      [2 ** 10, 'KiB'],
      [1, 'bytes'],
    ],
    ms: [
      [86_400_000, 'days'],
      [60_000, 'min'],
      [1_000, 's'],
      [1, 'ms'],
    ],
    count: [[1, '']],
  }[unit]
  const [size, name] = units.find(([each]) => value >= each && value % each === 0) ?? units.at(-1)
  return `${(value / size).toLocaleString('en-US')} ${name}`.trim()
}
