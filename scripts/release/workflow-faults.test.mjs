// Spoils the release workflows one way at a time and sees it reported.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { root } from '../workspace/workspace-packages.cjs'
import { publishEnvironment, workflowFaults } from './workflow-faults.mjs'

const texts = Object.fromEntries(
  ['release', 'container'].map(name => [
    name,
    readFileSync(path.join(root, '.github/workflows', `${name}.yml`), 'utf8'),
  ]),
)

test('the release workflows publish, sign and trace what they publish', () => {
  assert.deepEqual(faultsWith(), [])
  assert.equal(publishEnvironment(parse(texts.release)).PNPM_CONFIG_PROVENANCE, 'true')
})

/** `[workflow, what is there, what is put there, what is reported]` */
for (const [workflow, found, replacement, reported] of [
  [
    'release',
    'PNPM_CONFIG_PROVENANCE',
    'NPM_CONFIG_PROVENANCE',
    'publish does not set PNPM_CONFIG_PROVENANCE',
  ],
  ['release', 'environment: npm', 'environment: production', 'publish has not the environment npm'],
  ['release', / *id-token: write # for npm.*\n/, '', 'publish lacks the permission id-token'],
  [
    'release',
    'contents: write # to push tags',
    'packages: write # to push tags',
    'packages: write, which it does not need',
  ],
  [
    'release',
    'placeholders.mjs --require-none',
    'placeholders.mjs',
    'does not run placeholders.mjs --require-none',
  ],
  [
    'release',
    "PNPM_CONFIG_PROVENANCE: 'true'",
    'NODE_AUTH_TOKEN: secrets.NPM',
    'trusted publishing needs no secret',
  ],
  [
    'release',
    'scripts/release/sbom.mjs sbom',
    'scripts/release/none.mjs',
    'sbom does not run scripts/release/sbom.mjs',
  ],
  ['release', 'cosign sign-blob --yes', 'echo', 'sbom has no step with cosign sign-blob'],
  [
    'release',
    /id-token: write # for the signatures.*\n {4}uses/,
    'uses',
    'container lacks the permission id-token',
  ],
  ['container', / *id-token: write # for the signature.*\n/, '', 'image lacks the permission id-token'],
  ['container', 'placeholders.mjs --require-none', 'placeholders.mjs', 'image does not run placeholders.mjs'],
  ['container', 'sbom: true', 'sbom: false', 'image has no SBOM'],
  ['container', 'provenance: mode=max', 'provenance: false', 'image has no provenance'],
  ['container', 'push: true', 'push: false', 'image is not pushed'],
  [
    'container',
    /\$\{\{ steps\.release\.outputs\.tags \}\}/,
    'latest',
    'does not take its tags from image-tags.mjs',
  ],
  ['container', /@\$\{\{ steps\.push\.outputs\.digest \}\}/, ':latest', 'image signs a tag'],
  ['container', 'cosign sign --yes --recursive', 'cosign sign --yes --key k', 'image signs with a key'],
  ['container', 'needs: image', 'if: true', 'chart does not wait for the image'],
  ['container', 'helm push', 'helm show', 'chart has no step with helm push'],
  ['container', 'cosign sign --yes "$repository', 'echo "$repository', 'chart has no step with cosign sign'],
]) {
  test(`${workflow}.yml with ${JSON.stringify(replacement)} is reported: ${reported}`, () => {
    const text = texts[workflow].replace(found, replacement)
    assert.notEqual(text, texts[workflow], 'nothing was replaced')
    const faults = faultsWith({ [workflow]: text })
    assert.ok(
      faults.some(fault => fault.includes(reported)),
      faults.join('\n') || 'nothing reported',
    )
  })
}

function faultsWith(changed = {}) {
  const { release, container } = { ...texts, ...changed }
  return workflowFaults({ release: parse(release), container: parse(container) })
}
