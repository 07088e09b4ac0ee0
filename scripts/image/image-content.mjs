import { readFileSync } from 'node:fs'
import path from 'node:path'
import { belongsIntoImage, filesBelow } from './image-tree.mjs'
import { manifestsFolder, noticesFile } from './third-party.mjs'

/** The bundler writes the file of each module above its code. */
const moduleComment = /^\/\/ .*\/\.pnpm\/[^/]+\/node_modules\/((?:@[^/]+\/)?[^/]+)\//gm

/** Files that do not belong into the image, and packages in the bundle without a manifest or a licence. */
export function fileFaults(appFolder) {
  const files = filesBelow(appFolder)
  const code = files
    .filter(file => file.startsWith('dist/'))
    .map(file => readFileSync(path.join(appFolder, file), 'utf8'))
    .join('\n')
  const notices = readFileSync(path.join(appFolder, noticesFile), 'utf8')
  const manifests = files.filter(file => file.startsWith(`${manifestsFolder}/`))
  return [
    ...files.filter(file => !belongsIntoImage(file)).map(file => `${file} does not belong into the image`),
    ...thirdPartyFaults(code, { manifests, notices }),
  ]
}

/** Compares the packages that `code` was bundled from with the manifests and the notices. */
export function thirdPartyFaults(code, { manifests, notices }) {
  const bundled = new Set([...code.matchAll(moduleComment)].map(([, name]) => name))
  if (bundled.size === 0) return ['the bundle names no module, so its packages are not known']
  const listed = new Set(
    manifests.map(file =>
      file
        .split('/')
        .slice(1, -1)
        .join('/')
        .replace(/@[^@]+$/, ''),
    ),
  )
  return [...bundled].flatMap(name => [
    ...(listed.has(name) ? [] : [`${name} is in the bundle and has no manifest`]),
    ...(new RegExp(`^${RegExp.escape(name)}@\\S+ \\(.+\\)$`, 'm').test(notices)
      ? []
      : [`${name} is in the bundle and has no licence in ${noticesFile}`]),
  ])
}
