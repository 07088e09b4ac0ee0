// Uses the packed @broker/core with each toolchain of docs/toolchains.md. Without --all only the quick ones, which need
// few downloads. Needs a build, npm and its registry.
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runCommand } from '../workspace/run-command.mjs'
import { root } from '../workspace/workspace-packages.cjs'
import { toolchains } from './toolchains.mjs'

const tried = process.argv.includes('--all') ? toolchains : toolchains.filter(({ quick }) => quick)
const folder = await mkdtemp(path.join(await realpath(tmpdir()), 'toolchains-proof-'))
try {
  const tarball = path.join(folder, 'core.tgz')
  await must('pnpm', ['pack', '--out', tarball], path.join(root, 'packages', 'core'))
  const dependencies = Object.assign({}, ...tried.map(toolchain => toolchain.dependencies))
  await write(folder, {
    'package.json': {
      name: 'consumer',
      private: true,
      dependencies: { '@broker/core': `file:${tarball}`, ...dependencies },
    },
  })
  const options = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--fetch-retries=1']
  await must('npm', ['install', ...options], folder)
  for (const [index, toolchain] of tried.entries()) await prove(toolchain, `project-${index}`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** In a separate folder below the installed packages, so that a row does not see another row's files. */
async function prove({ name, setting, files, command, afterwards, prints, fails }, project) {
  const cwd = path.join(folder, project)
  await mkdir(cwd)
  await write(cwd, files)
  let result = await runIn(cwd, command)
  if (afterwards !== undefined && result.exitCode === 0) result = await runIn(cwd, afterwards)
  const isAsExpected =
    fails === undefined
      ? result.exitCode === 0 && prints.test(result.output)
      : result.exitCode !== 0 && fails.test(result.output)
  console.log(`${isAsExpected ? 'ok     ' : 'failed '} ${name}, ${setting}`)
  if (isAsExpected) return
  console.log(result.output)
  process.exitCode = 1
}

function runIn(cwd, [command, ...args]) {
  const installed = text => (text.startsWith('node_modules/') ? path.join(folder, text) : text)
  return runCommand(installed(command), args.map(installed), { cwd })
}

async function must(command, args, cwd) {
  const { exitCode, output } = await runCommand(command, args, { cwd })
  if (exitCode !== 0) throw new Error(`${command} ${args[0]} failed\n${output}`)
}

async function write(target, files) {
  for (const [file, content] of Object.entries(files)) {
    await writeFile(path.join(target, file), typeof content === 'string' ? content : JSON.stringify(content))
  }
}
