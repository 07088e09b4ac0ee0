// Replaces the owner, the npm scope, the image and the chart repository everywhere in the checkout:
//   node scripts/release/set-owner.mjs --owner acme --scope @acme
// --repository, --image and --chart-repository follow from the owner unless they are given. It can be run again, with the
// same names (nothing changes) or with others.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { fileWithPlaceholders, nameOnItsOwn, ownerPlaceholder } from './placeholders.mjs'
import { readReleaseFacts } from './release-facts.mjs'
import { trackedTexts } from './tracked-files.mjs'

const usage =
  'Usage: node scripts/release/set-owner.mjs --owner <GitHub owner> --scope <@npm-scope>\n' +
  '  [--repository <name>] [--image <registry/path>] [--chart-repository <registry/path>] [--folder <checkout>]'

const forms = {
  owner: /^[a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38}$/i,
  repository: /^[\w.-]{1,100}$/,
  scope: /^@[a-z\d][a-z\d._-]{0,100}$/,
  // Registries know no capitals.
  image: /^[a-z\d.-]+(?::\d+)?(?:\/[a-z\d]+(?:[._-]+[a-z\d]+)*)+$/,
  chartRepository: /^[a-z\d.-]+(?::\d+)?(?:\/[a-z\d]+(?:[._-]+[a-z\d]+)*)+$/,
}

/** The names to set, or a sentence about the first one that cannot be. */
export function newFacts(old, given) {
  const { owner, scope, repository = old.repository } = given
  if (!owner || !scope) return { fault: usage }
  const registry = `ghcr.io/${owner.toLowerCase()}`
  const facts = {
    ...old,
    decided: true,
    owner,
    repository,
    scope,
    image: given.image ?? `${registry}/${repository.toLowerCase()}`,
    chartRepository: given['chart-repository'] ?? `${registry}/charts`,
  }
  for (const [fact, form] of Object.entries(forms)) {
    if (!form.test(facts[fact]))
      return { fault: `${facts[fact]} cannot be the ${fact}: it must match ${form}` }
  }
  if (owner === ownerPlaceholder) return { fault: `${owner} is the placeholder` }
  return { facts }
}

/** `text` with the old names replaced by the new ones. */
export function replaceNames(text, old, facts) {
  let result = text
  const replace = (from, to) => {
    if (from !== to) result = result.replaceAll(nameOnItsOwn(from), () => to)
  }
  // The long ones first: they contain the owner, and registries spell it in another way.
  replace(old.image, facts.image)
  replace(old.chartRepository, facts.chartRepository)
  replace(`${old.owner}/${old.repository}`, `${facts.owner}/${facts.repository}`)
  replace(`ghcr.io/${ownerPlaceholder}`, `ghcr.io/${facts.owner.toLowerCase()}`)
  replace(ownerPlaceholder, facts.owner)
  replace(old.scope, facts.scope)
  return result
}

/** Replaces in every file of the checkout; returns how many files changed. */
export function setOwner(folder, facts) {
  const old = readReleaseFacts(folder)
  let changed = 0
  for (const { name, text } of trackedTexts(folder)) {
    if (name === fileWithPlaceholders || name === 'release.json') continue
    const replaced = replaceNames(text, old, facts)
    if (replaced === text) continue
    writeFileSync(path.join(folder, name), replaced)
    changed += 1
  }
  writeFileSync(path.join(folder, 'release.json'), `${JSON.stringify(facts, null, 2)}\n`)
  return changed
}

if (isEntryPoint(import.meta)) {
  const text = { type: 'string' }
  const { values } = parseArgs({
    options: {
      ...{ owner: text, scope: text, repository: text, image: text },
      ...{ 'chart-repository': text, folder: text },
    },
  })
  const folder = path.resolve(values.folder ?? root)
  const { facts, fault } = newFacts(readReleaseFacts(folder), values)
  if (fault) {
    console.error(fault)
    process.exitCode = 2
  } else {
    console.log(`${setOwner(folder, facts)} files changed`)
    // Names of another length or order move line breaks and imports.
    console.log('Next: pnpm install, pnpm format, pnpm docs:write, then commit')
  }
}
