import { readFileSync } from 'node:fs'
import path from 'node:path'

const fromClause = /^(?:import|export)\b[^'"\n]*?(?:\bfrom\s*)?(['"])([^'"\n]+)\1/gm

/**
 * What importing the built `entries` loads before any of their code runs: their own files, the bytes of those, and the other modules by the
 * names in the imports, sorted.
 */
export function staticImports(...entries) {
  const files = new Set()
  const modules = new Set()
  const visit = file => {
    if (files.has(file)) return
    files.add(file)
    for (const [, , name] of readFileSync(file, 'utf8').matchAll(fromClause)) {
      if (name.startsWith('.')) visit(path.resolve(path.dirname(file), name))
      else modules.add(name)
    }
  }
  for (const entry of entries) visit(path.resolve(entry))
  const bytes = [...files].reduce((sum, file) => sum + readFileSync(file).length, 0)
  return { files: [...files], bytes, modules: [...modules].sort() }
}
