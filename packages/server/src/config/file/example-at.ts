import { flowEntries } from './flow-text.ts'
import { documentationOf, schemaAt } from './schema-at.ts'
import type { FilePath } from './yaml-file.ts'

/** A valid entry for a key of the file, on one line: `audiences: [orders]`. */
export function exampleAt(path: FilePath): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const key = path[length - 1]
    const { example } = documentationOf(schemaAt(path.slice(0, length)))
    if (example !== undefined && typeof key === 'string') return flowEntries({ [key]: example })
  }
  return undefined
}
