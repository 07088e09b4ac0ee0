// The places in manifests and guides that name the version of the release: image tags and the chart.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { readReleaseFacts } from './release-facts.mjs'
import { trackedFiles } from './tracked-files.mjs'

const semver = '\\d+\\.\\d+\\.\\d+(?:-[\\w.]+)?'

/** Patterns with the version as their only group, by what they match. */
function patterns({ image }) {
  const name = image.split('/').at(-1)
  return {
    // The published image, and the one that a guide builds under another registry.
    text: [
      new RegExp(`/${name}:(${semver})\\b`, 'g'),
      new RegExp(`name: \\S*/${name}\\n(?: +newName: .*\\n)?(?: *#.*\\n)? +newTag: (${semver})$`, 'gm'),
    ],
    chart: [new RegExp(`^(?:version|appVersion): ['"]?(${semver})['"]?$`, 'gm')],
  }
}

const isChart = name => /^deploy\/(?:.*\/)?Chart\.yaml$/.test(name)

function patternsFor(name, all) {
  if (isChart(name)) return all.chart
  return /^(README\.md|deploy\/|docs\/(?!decisions\/))/.test(name) ? all.text : []
}

/** `{ name, version }` of each place in the checkout. */
export function namedVersions(folder) {
  const all = patterns(readReleaseFacts(folder))
  return trackedFiles(folder).flatMap(name => {
    const found = patternsFor(name, all)
    if (found.length === 0) return []
    const text = readFileSync(path.join(folder, name), 'utf8')
    return found.flatMap(pattern => [...text.matchAll(pattern)].map(([, version]) => ({ name, version })))
  })
}

/** Writes `version` in each place but the chart, which scripts/packaging/write-version.mjs writes. */
export function raiseNamedVersions(folder, version) {
  const all = patterns(readReleaseFacts(folder))
  for (const name of new Set(namedVersions(folder).map(place => place.name))) {
    if (isChart(name)) continue
    const file = path.join(folder, name)
    let text = readFileSync(file, 'utf8')
    for (const pattern of patternsFor(name, all)) {
      text = text.replaceAll(
        pattern,
        (match, old) =>
          match.slice(0, match.lastIndexOf(old)) + version + match.slice(match.lastIndexOf(old) + old.length),
      )
    }
    writeFileSync(file, text)
  }
}

/** The folder of the Helm chart, relative to the checkout, or `undefined`. */
export function chartFolder(folder) {
  const charts = trackedFiles(folder).filter(isChart)
  if (charts.length > 1) throw new Error(`more than one chart: ${charts.join(', ')}`)
  return charts[0] && path.posix.dirname(charts[0])
}
