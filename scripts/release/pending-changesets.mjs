// The changesets that wait for the next release, and what must not be in a changelog.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const mostLines = 12
const internals =
  /\b(?:packages|src|test|scripts)\/|\.(?:test|spec)\.|\.m?[jt]s\b|\b(?:vitest|turbo|biome|tsc|refactor\w*|V8|garbage|old space)\b/i

/** Whether no version was released yet. */
export function isFirstRelease(folder) {
  return publishedManifests(folder).every(({ version }) => version === '0.0.0')
}

/**
 * `{ id, packages, summary, printed }` of each. Before the first release only the descriptions of the packages are printed:
 * there is nothing yet that others could be changes of.
 */
export function pendingChangesets(folder) {
  const isFirst = isFirstRelease(folder)
  return readdirSync(path.join(folder, '.changeset'))
    .filter(name => name.endsWith('.md') && name !== 'README.md')
    .map(name => {
      const id = name.slice(0, -'.md'.length)
      const text = readFileSync(path.join(folder, '.changeset', name), 'utf8')
      const [, head, summary] = text.match(/^---\n([\s\S]*?)---\n([\s\S]*)$/) ?? []
      const packages = [...(head ?? '').matchAll(/^['"](.+)['"]: (?:major|minor|patch)$/gm)].map(
        ([, found]) => found,
      )
      return {
        id,
        packages,
        summary: (summary ?? '').trim(),
        printed: !isFirst || id.startsWith('first-release-'),
      }
    })
}

/** Sentences about changesets that would be printed and that users could not read. */
export function changesetFaults(folder) {
  const names = publishedManifests(folder).map(({ name }) => name)
  return pendingChangesets(folder)
    .filter(({ printed }) => printed)
    .flatMap(({ id, packages, summary }) => {
      const faults = []
      const say = fault => faults.push(`.changeset/${id}.md: ${fault}`)
      if (packages.length === 0) say('names no package')
      for (const name of packages)
        if (!names.includes(name)) say(`${name} is not published: changesets refuses to mix them`)
      const lines = summary.split('\n').filter(line => line.trim())
      if (lines.length === 0) say('says nothing')
      if (lines.length > mostLines) say(`has ${lines.length} lines, more than ${mostLines}`)
      const [internal] = summary.match(internals) ?? []
      if (internal) say(`"${internal}" means nothing to users`)
      return faults
    })
}

function publishedManifests(folder) {
  return readdirSync(path.join(folder, 'packages'))
    .map(name => JSON.parse(readFileSync(path.join(folder, 'packages', name, 'package.json'), 'utf8')))
    .filter(manifest => !manifest.private)
}
