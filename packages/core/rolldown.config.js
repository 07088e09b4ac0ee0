import { readFileSync } from 'node:fs'
import { defineConfig } from 'rolldown'

const { exports, dependencies, peerDependencies } = JSON.parse(
  readFileSync(new URL('package.json', import.meta.url), 'utf8'),
)
const entries = Object.values(exports)
  .filter(target => target.default)
  .map(target => /^\.\/dist\/(.*)\.js$/.exec(target.default)[1])
const packages = Object.keys({ ...dependencies, ...peerDependencies })

/**
 * One file for each entry, and one with what several entries share: most of the time of an import goes by files, not by bytes. Dependencies
 * stay packages, which scanners see and users can update. tsc writes the types, one file for each module.
 */
export default defineConfig({
  input: Object.fromEntries(entries.map(entry => [entry, `src/${entry}.ts`])),
  platform: 'node',
  external: packages.map(name => new RegExp(`^${name}(/|$)`)),
  onLog(level, { message }) {
    if (level === 'warn') throw new Error(message)
  },
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    minifyInternalExports: false,
    // Names that stay the same: nothing deletes the files of an earlier build.
    codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] },
  },
})
