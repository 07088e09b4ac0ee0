import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The file with the licences of everything in the bundle that is not ours. */
export const noticesFile = 'THIRD-PARTY-NOTICES'
/** The folder with a manifest of each package in the bundle, for scanners of images, which look for such files. */
export const manifestsFolder = 'third-party'

const legalFile = /^(licen[cs]e|copying|notice)(\.(md|txt))?$/i

/** The packages that the modules in `files` belong to, except the packages of this repository, by `name@version`. */
export function thirdPartyPackages(files, ownScope = '@broker/') {
  const filesOf = Map.groupBy(files, packageFolder)
  const packages = [...filesOf].map(([folder, modules]) => {
    const { name, version, license } = readManifest(folder)
    const shipped = legalTexts(folder)
    const texts = shipped.length > 0 ? shipped : copyrightHeaders(modules)
    return { id: `${name}@${version}`, name, version, license, texts }
  })
  return new Map(
    packages
      .filter(({ name }) => !name.startsWith(ownScope))
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map(found => [found.id, found]),
  )
}

/** Writes the licences and the manifests of `packages` into the image's folder. */
export function writeThirdParty(target, packages) {
  for (const { id, name, version, license } of packages.values()) {
    const folder = path.join(target, manifestsFolder, id)
    mkdirSync(folder, { recursive: true })
    writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify({ name, version, license })}\n`)
  }
  writeFileSync(path.join(target, noticesFile), noticesText(packages))
}

/** Each text once, below the packages that it belongs to. Throws for a package without a licence, or without a text about it. */
export function noticesText(packages) {
  const idsByText = new Map()
  for (const { id, license, texts } of packages.values()) {
    if (!license) throw new Error(`${id} states no licence`)
    if (texts.length === 0) throw new Error(`${id} ships no text of its licence, ${license}`)
    const text = texts.join('\n\n')
    idsByText.set(text, [...(idsByText.get(text) ?? []), `${id} (${license})`])
  }
  const rule = '-'.repeat(80)
  return [...idsByText].map(([text, ids]) => `${ids.join('\n')}\n\n${text}\n`).join(`\n${rule}\n\n`)
}

/** The nearest folder with a manifest that has a name; some packages have further ones inside, which only set `type`. */
function packageFolder(file) {
  let folder = path.dirname(file)
  while (!readManifest(folder)?.version) {
    if (folder === path.dirname(folder)) throw new Error(`${file} belongs to no package`)
    folder = path.dirname(folder)
  }
  return folder
}

function readManifest(folder) {
  const file = path.join(folder, 'package.json')
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

function legalTexts(folder) {
  return readdirSync(folder)
    .filter(name => legalFile.test(name))
    .sort()
    .map(name => readFileSync(path.join(folder, name), 'utf8').replaceAll('\r\n', '\n').trim())
}

/** The comments at the top of the modules, for packages that keep their licence nowhere else. */
function copyrightHeaders(files) {
  const headers = files.map(file => /^(?:\/\/.*\n)+/.exec(readFileSync(file, 'utf8'))?.[0] ?? '')
  const texts = headers.filter(header => /copyright/i.test(header))
  return [...new Set(texts.map(text => text.replaceAll(/^\/\/ ?/gm, '').trim()))].sort()
}
