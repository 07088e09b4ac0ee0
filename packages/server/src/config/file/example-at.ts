import type * as z from 'zod'
import { flowEntries } from './flow-text.ts'
import { documentationOf, schemaAt } from './schema-at.ts'
import type { FilePath } from './yaml-file.ts'

/** A valid entry for a key of the file, or of another file with its own schema, on one line: `audiences: [orders]`. */
export function exampleAt(path: FilePath, file?: z.core.$ZodType): string | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const key = path[length - 1]
    const { example } = documentationOf(schemaAt(path.slice(0, length), file))
    if (example !== undefined && typeof key === 'string') return flowEntries({ [key]: example })
  }
  return undefined
}
