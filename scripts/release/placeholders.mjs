// Lists the placeholders that are left and where: until scripts/release/set-owner.mjs has run, the repository has no owner
// and the packages have a scope that nobody owns. Sentences which say that nothing is published count as well; they need a
// person. With --require-none it fails while any is left, as a release does.
import path from 'node:path'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { readReleaseFacts } from './release-facts.mjs'
import { trackedTexts } from './tracked-files.mjs'

/** This file alone may contain them after the replacement. */
export const fileWithPlaceholders = 'scripts/release/placeholders.mjs'
export const ownerPlaceholder = 'OWNER'
export const scopePlaceholder = '@broker'

/** In pages for users, these sentences are false from the first release on. */
const unpublished = /\bpublished (?:on npm )?yet\b/g
const pageForUsers = /^(?:README\.md|docs\/(?!decisions\/|releasing\.md).*|packages\/[\w-]+\/README\.md)$/

/** Matches `text` as a whole name: not as part of a longer word, of an e-mail address or of another scope. */
export function nameOnItsOwn(text) {
  return new RegExp(`(?<![\\w.-])${text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![\\w-]|\\.\\w)`, 'g')
}

/** `{ name, line, text }` of each place in the checkout `folder` that still has a placeholder. */
export function placeholdersLeft(folder) {
  const facts = readReleaseFacts(folder)
  const wanted = []
  if (facts.owner === ownerPlaceholder || facts.decided) wanted.push(ownerPlaceholder)
  // The scope may turn out to be the one that is there already.
  if (!facts.decided || facts.scope !== scopePlaceholder) wanted.push(scopePlaceholder)
  const patterns = wanted.map(nameOnItsOwn)
  const places = []
  for (const { name, text } of trackedTexts(folder)) {
    if (name === fileWithPlaceholders) continue
    const inFile = pageForUsers.test(name) ? [...patterns, unpublished] : patterns
    text.split('\n').forEach((line, index) => {
      for (const pattern of inFile) {
        for (const [found] of line.matchAll(pattern)) places.push({ name, line: index + 1, text: found })
      }
    })
  }
  return places
}

/** Contradictions to a release from `repository` (`owner/name`, as GitHub gives it), as sentences. */
export function ownerFaults(folder, repository) {
  const facts = readReleaseFacts(folder)
  const faults = []
  if (!facts.decided) faults.push('release.json is not decided: run scripts/release/set-owner.mjs')
  const expected = `${facts.owner}/${facts.repository}`
  if (repository !== undefined && repository !== expected) {
    faults.push(
      `the workflow runs in ${repository}, and release.json names ${expected}: npm refuses the provenance`,
    )
  }
  return faults
}

function report(folder, { requireNone }) {
  const places = placeholdersLeft(folder)
  const byText = Map.groupBy(places, ({ text }) => text)
  for (const [text, found] of byText) {
    const files = Map.groupBy(found, ({ name }) => name)
    console.log(`${text}: ${found.length} places in ${files.size} files`)
    // The scope is in almost every file; the owner is not.
    const shown = [...files].slice(0, requireNone ? 20 : files.size)
    for (const [name, lines] of shown) console.log(`  ${name}:${lines.map(({ line }) => line).join(',')}`)
    if (shown.length < files.size) console.log(`  and ${files.size - shown.length} more files`)
  }
  const faults = requireNone ? ownerFaults(folder, process.env.GITHUB_REPOSITORY) : []
  for (const fault of faults) console.error(fault)
  if (places.length === 0 && faults.length === 0) console.log('no placeholder left')
  else if (requireNone) process.exitCode = 1
}

if (isEntryPoint(import.meta)) {
  const [folder = root] = process.argv.slice(2).filter(argument => !argument.startsWith('--'))
  report(path.resolve(folder), { requireNone: process.argv.includes('--require-none') })
}
