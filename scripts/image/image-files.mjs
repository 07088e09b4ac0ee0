// Makes the container image's files by the steps of the Dockerfile, from the tracked files that reach its builder, and runs the image's own
// commands on them as Kubernetes does. Needs git, npm and pnpm; no container engine. Without root it only makes and checks the files.
//   node scripts/image/image-files.mjs [<folder that gets the image's files>]
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { root } from '../workspace/workspace-packages.cjs'
import { contextFiles, environmentOf, execForm, readDockerfile, runStage } from './dockerfile.mjs'
import { fileFaults } from './image-content.mjs'
import { proofs, startDex } from './image-proofs.mjs'
import { ImageRoot } from './image-root.mjs'
import { measureSize, sizeFaults, sizeText } from './image-size.mjs'

const [keptFolder] = process.argv.slice(2)
const workFolder = mkdtempSync(path.join(tmpdir(), 'image-files-'))
try {
  const dockerfile = readFileSync(path.join(root, 'deploy/docker/Dockerfile'), 'utf8')
  const [buildStage, imageStage] = readDockerfile(dockerfile)
  const appFolder = makeFiles(buildStage)
  const size = measureSize(appFolder)
  console.log(sizeText(size))
  const faults = [...fileFaults(appFolder), ...sizeFaults(size)]
  if (faults.length > 0) throw new Error(faults.join('\n'))
  await runProofs(imageStage, appFolder)
  if (keptFolder) cpSync(appFolder, keptFolder, { recursive: true })
  console.log('The files of the image are in order.')
} catch (error) {
  console.error(`The files of the image are not in order: ${error.stack}`)
  process.exitCode = 1
} finally {
  rmSync(workFolder, { recursive: true, force: true })
}

/** Runs the build stage, and returns the folder that the image copies. */
function makeFiles(buildStage) {
  const context = path.join(workFolder, 'context')
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' }).split('\0')
  const ignored = readFileSync(path.join(root, '.dockerignore'), 'utf8')
  for (const file of contextFiles(tracked.slice(0, -1), ignored)) {
    cpSync(path.join(root, file), path.join(context, file))
  }
  const folder = path.join(workFolder, 'build')
  runStage(buildStage, { context, folder, env: process.env })
  return path.join(folder, 'app')
}

async function runProofs(imageStage, appFolder) {
  const obstacle = ImageRoot.obstacle()
  if (obstacle) return console.log(`skipped: the image's commands in a separate root folder: ${obstacle}`)
  const { version } = JSON.parse(readFileSync(path.join(appFolder, 'package.json'), 'utf8'))
  await using dex = await startDex()
  const image = {
    root: new ImageRoot(path.join(workFolder, 'root'), { appFolder, environment: environmentOf(imageStage) }),
    entrypoint: execForm(imageStage, 'ENTRYPOINT'),
    healthCheck: execForm(imageStage, 'HEALTHCHECK'),
    version,
    dex,
  }
  for (const [name, proof] of Object.entries(proofs)) {
    const reason = await proof(image)
    console.log(reason ? `skipped: ${name}: ${reason}` : `ok: ${name}`)
  }
}
