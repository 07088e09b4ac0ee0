import { createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { requiredBuiltins } from './required-builtins.mjs'
import { undiciInUse } from './undici-in-use.mjs'

/**
 * Bundles the built server in `server` with everything that it imports, into `target`: `command.js`, and one more file for each part
 * that is loaded only when it is needed. Resolves with the files of the modules in it. Rejects when anything would be left to be found
 * at run time.
 *
 * The code keeps its names and lines, so that a stack trace can be read without a source map: Node.js parses maps while it loads the
 * code, which costs more than the bundle saves.
 */
export async function bundleServer(server, target) {
  const warnings = []
  // The bundler belongs to the server: the image is built without the packages of the root.
  const { resolve } = createRequire(path.resolve(server, 'package.json'))
  const bundler = resolve('rolldown')
  const { rolldown } = await import(pathToFileURL(bundler))
  await using bundle = await rolldown({
    input: { command: path.resolve(server, 'dist/command.js') },
    cwd: path.resolve(server),
    platform: 'node',
    plugins: [undiciInUse(path.dirname(resolve('undici'))), requiredBuiltins()],
    onLog: (level, { message }) => level === 'warn' && warnings.push(message),
  })
  const { output } = await bundle.write({
    dir: target,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: ({ isDynamicEntry }) => (isDynamicEntry ? '[name].js' : 'shared-[hash].js'),
    comments: false,
  })
  const faults = [...warnings, ...missingModules(output)]
  if (faults.length > 0) throw new Error(`the bundle is not complete:\n${faults.join('\n')}`)
  return output.flatMap(({ modules = {} }) =>
    Object.entries(modules)
      .filter(([, { renderedLength }]) => renderedLength > 0)
      // Helpers of the bundler have a name of this form, and no file.
      .map(([file]) => (file.startsWith('\0') ? bundler : file)),
  )
}

/** Imports that lead neither to a file of the bundle nor to a module of Node.js. */
export function missingModules(output) {
  const files = new Set(output.map(({ fileName }) => fileName))
  return output.flatMap(({ fileName, code = '', imports = [], dynamicImports = [] }) =>
    [...imports, ...dynamicImports, ...requiredNames(code)]
      .filter(name => !files.has(name) && !isBuiltin(name))
      .map(name => `${fileName} imports ${name}`),
  )
}

/** The modules that the bundler left to a call of `require`. */
function requiredNames(code) {
  return [...code.matchAll(/\b__require\(["']([^"']+)["']\)/g)].map(([, name]) => name)
}
