// Prints the size of the image's files: node scripts/image/image-size.mjs <folder with the files>
import { execFileSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { staticImports } from '../packaging/static-imports.mjs'
import { isEntryPoint } from '../workspace/is-entry-point.mjs'
import { filesBelow } from './image-tree.mjs'

/** How much larger than recorded the files may be, and the layer. */
const tolerance = 1.2
const recorded = JSON.parse(readFileSync(new URL('image-size.json', import.meta.url), 'utf8'))

/** The files that every start imports. */
const startFiles = ['command.js', 'cli.js', 'fetch-classes.js', 'serve.js'].map(file =>
  path.join('dist', file),
)

/** `compressedBytes` is the layer as a registry stores it: a tar archive with gzip. `startBytes` is what every start reads and compiles. */
export function measureSize(folder) {
  const files = filesBelow(folder)
  const archive = execFileSync(
    'tar',
    ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '-cf', '-', '.'],
    {
      cwd: folder,
      maxBuffer: 1024 ** 3,
    },
  )
  return {
    files: files.length,
    bytes: files.reduce((sum, file) => sum + statSync(path.join(folder, file)).size, 0),
    compressedBytes: gzipSync(archive).length,
    startBytes: staticImports(...startFiles.map(file => path.join(folder, file))).bytes,
  }
}

export function sizeText({ files, bytes, compressedBytes, startBytes }) {
  return `${files} files, ${megabytes(bytes)}, ${megabytes(compressedBytes)} compressed; a start reads ${megabytes(startBytes)}`
}

/** The measures that have grown by more than a fifth since `image-size.json` was written. */
export function sizeFaults(size, before = recorded) {
  return Object.entries(before)
    .filter(([name, value]) => size[name] > value * tolerance)
    .map(
      ([name, value]) =>
        `${name}: ${size[name]}, more than a fifth above the ${value} in scripts/image/image-size.json`,
    )
}

function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

if (isEntryPoint(import.meta)) {
  const [folder] = process.argv.slice(2)
  if (!folder) {
    console.error('Usage: node scripts/image/image-size.mjs <folder with the files of the image>')
    process.exit(2)
  }
  const size = measureSize(path.resolve(folder))
  console.log(`${sizeText(size)}\n${JSON.stringify(size)}`)
}
