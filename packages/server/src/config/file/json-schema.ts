import * as z from 'zod'
import { fileSchema } from './file-schema.ts'

/**
 * The JSON Schema of the configuration file, for editors. It accepts whatever the broker accepts; what it cannot express, such as
 * names that must exist, the broker checks beyond it.
 */
export function fileJsonSchema(): Record<string, unknown> {
  // Editors' language servers know draft 7 best.
  return z.toJSONSchema(fileSchema, { target: 'draft-7', io: 'input' }) as Record<string, unknown>
}
