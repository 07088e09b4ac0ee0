// Prints the references that a release of the image gets, one a line: node scripts/release/image-tags.mjs 1.2.3
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { readReleaseFacts } from './release-facts.mjs'

const semver = /^(\d+)\.(\d+)\.\d+(-[\da-z.-]+)?$/i
const reference = /^[a-z\d.-]+(?::\d+)?(?:\/[a-z\d]+(?:[._-]+[a-z\d]+)*)+:\w[\w.-]{0,127}$/

/** Tags of a version: a pre-release has only its own, and version 0 has no tag for the major, which promises nothing. */
export function imageTags(version) {
  const [, major, minor, preRelease] = version.match(semver) ?? []
  if (major === undefined) throw new Error(`${version} is not a version`)
  if (preRelease) return [version]
  return [version, `${major}.${minor}`, ...(major === '0' ? [] : [major]), 'latest']
}

/** The tags with the name of the image. */
export function imageReferences(image, version) {
  return imageTags(version).map(tag => `${image}:${tag}`)
}

/** Whether a registry accepts it: no capitals in the name, at most 128 characters in the tag. */
export function isImageReference(text) {
  return reference.test(text)
}

if (isEntryPoint(import.meta)) {
  const [version = ''] = process.argv.slice(2)
  for (const name of imageReferences(readReleaseFacts().image, version)) console.log(name)
}
