// The facts of release.json, and the fields of a published package.json that follow from them.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../workspace/workspace-packages.cjs'

const commonKeywords = ['dex', 'oauth2', 'oidc']

/** Reads release.json of a checkout, by default this one. */
export function readReleaseFacts(folder = root) {
  return JSON.parse(readFileSync(path.join(folder, 'release.json'), 'utf8'))
}

/** Where the repository is, as a browser opens it. */
export function repositoryUrl({ owner, repository }) {
  return `https://github.com/${owner}/${repository}`
}

/** The fields of package.json that come from the facts; `folder` is relative to the root, such as `packages/core`. */
export function manifestFields(folder, facts) {
  const url = repositoryUrl(facts)
  return {
    license: facts.license,
    repository: { type: 'git', url: `git+${url}.git`, directory: folder },
    homepage: `${url}/tree/main/${folder}#readme`,
    bugs: { url: `${url}/issues` },
    keywords: [...commonKeywords, ...(facts.keywords[path.posix.basename(folder)] ?? [])],
    engines: { node: facts.node },
    publishConfig: { access: 'public' },
  }
}

/** Differences between a published package.json and the facts, as sentences. */
export function factFaults(folder, manifest, facts) {
  const faults = Object.entries(manifestFields(folder, facts)).flatMap(([field, wanted]) => {
    const value = manifest[field]
    if (value === undefined) return [`package.json has no ${field}${consequence(field)}`]
    if (JSON.stringify(value) === JSON.stringify(wanted)) return []
    return [`${field} is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}${consequence(field)}`]
  })
  if (!facts.keywords[path.posix.basename(folder)]) faults.push('release.json has no keywords for it')
  if (!manifest.name.startsWith(`${facts.scope}/`)) faults.push(`its name is not in the scope ${facts.scope}`)
  return faults
}

function consequence(field) {
  if (field === 'repository')
    return ': npm refuses it with E422, because the provenance names the repository of the workflow'
  if (field === 'publishConfig') return ': npm publishes scoped packages as restricted, and asks for payment'
  return ''
}
