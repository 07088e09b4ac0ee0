// The project that docs/test-your-service.md shows, with the packages as users install them: its own files, not a copy.
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { root } from '../workspace/workspace-packages.cjs'

const example = path.join(root, 'examples', 'testing')

/** The files that the reader of the page writes, for vitest. */
export const shown = ['app.ts', 'server.ts', 'start-service.ts', 'app.test.ts']
/** The promise of the page. */
export const mostLines = 60

/** The runners' own versions of the test, and what jest needs to read TypeScript. */
const further = ['service/app.jest.ts', 'service/app.node-test.ts', 'jest.config.json', 'strip-types.mjs']

const moduleSettings = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'node16', moduleResolution: 'node16' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

/** The number of lines that the reader writes; throws when the page promises fewer. */
export async function shownLines() {
  const texts = await Promise.all(shown.map(file => readFile(path.join(example, 'service', file), 'utf8')))
  const lines = texts.reduce((sum, text) => sum + text.trimEnd().split('\n').length, 0)
  if (lines >= mostLines)
    throw new Error(`${shown.join(', ')} have ${lines} lines, not fewer than ${mostLines}`)
  return lines
}

/** Copies the files of the example into `project`, flat as the reader saves them. */
export async function writeService(project) {
  for (const file of [...shown.map(name => `service/${name}`), ...further]) {
    await copyFile(path.join(example, file), path.join(project, path.basename(file)))
  }
}

/** Builds the installed project with each toolchain and runs its tests; `run(command, args, complaint)` throws for a failure. */
export async function proveService(project, run) {
  const bin = (name, file) => path.join(project, 'node_modules', name, file)
  for (const settings of moduleSettings) {
    const outDir = `out-${settings.moduleResolution}`
    await mkdir(path.join(project, outDir))
    const compilerOptions = {
      ...{ target: 'es2022', lib: ['es2023', 'esnext.disposable'], ...settings, types: ['node'] },
      ...{ strict: true, rewriteRelativeImportExtensions: true, rootDir: '.', outDir },
    }
    const files = [...shown, 'app.jest.ts', 'app.node-test.ts']
    await writeFile(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    await run('tsc', ['-p', '.'], `tsc with moduleResolution ${settings.moduleResolution} refuses it`)
    await run(
      process.execPath,
      ['--test', `${outDir}/app.node-test.js`],
      `what tsc makes of it in ${outDir} fails`,
    )
  }
  const bundle = ['--bundle', '--platform=node', '--format=cjs', '--outfile=out/app.node-test.cjs']
  await run(
    process.execPath,
    [bin('esbuild', 'bin/esbuild'), 'app.node-test.ts', ...bundle],
    'esbuild refuses it',
  )
  await run(process.execPath, ['--test', 'out/app.node-test.cjs'], 'what esbuild makes of it fails')
  await run(
    process.execPath,
    [bin('vitest', 'vitest.mjs'), 'run', 'app.test.ts'],
    'its tests fail with vitest',
  )
  const jest = ['--experimental-vm-modules', bin('jest', 'bin/jest.js')]
  await run(process.execPath, [...jest, '--testMatch=<rootDir>/app.jest.ts'], 'its tests fail with jest')
  await run(process.execPath, ['--test', 'app.node-test.ts'], 'its tests fail with node:test')
}
