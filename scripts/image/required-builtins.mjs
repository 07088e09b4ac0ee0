import { isBuiltin } from 'node:module'
import path from 'node:path'

const form = /^\0required:([^?]+)/

/**
 * A plugin of the bundler: modules of Node.js are required and not imported. For an import, Node.js reads every export of the module, and some
 * load more: the exports of `node:http` load a whole undici, of several megabytes.
 */
export function requiredBuiltins() {
  return {
    name: 'required-builtins',
    resolveId(id, importer, { kind }) {
      if (kind !== 'import-statement' || !isBuiltin(id)) return
      // One for each importer: a shared one would be a further file of the bundle.
      return `\0required:${id.replace(/^node:/, '')}?${path.relative('.', importer)}`
    },
    load(id) {
      const name = form.exec(id)?.[1]
      if (name !== undefined) return moduleOf(`node:${name}`)
    },
  }
}

/** Reads only the exports that are used: the bundler drops the other calls. */
function moduleOf(name) {
  const exports = Object.keys(process.getBuiltinModule(name)).filter(key => key !== 'default')
  return [
    `const builtin = process.getBuiltinModule('${name}')`,
    'const read = key => builtin[key]',
    'export default builtin',
    ...exports.map((key, index) => `const export${index} = /* @__PURE__ */ read('${key}')`),
    `export { ${exports.map((key, index) => `export${index} as ${key}`).join(', ')} }`,
  ].join('\n')
}
