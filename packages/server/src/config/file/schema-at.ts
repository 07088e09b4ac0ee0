import * as z from 'zod'
import { fileSchema } from './file-schema.ts'
import type { FilePath } from './yaml-file.ts'

/** The schema of a key of the file, or of another file with its own schema; `undefined` when it has none. */
export function schemaAt(path: FilePath, file: z.core.$ZodType = fileSchema): z.core.$ZodType | undefined {
  return path.reduce<z.core.$ZodType | undefined>((schema, step) => {
    const parent = required(schema)
    if (parent instanceof z.ZodObject) return parent.shape[step] as z.core.$ZodType | undefined
    if (parent instanceof z.ZodArray) return parent.element
    if (parent instanceof z.ZodRecord) return parent.valueType
    return undefined
  }, file)
}

/** The keys that a map of the file may have. */
export function keysAt(path: FilePath, file?: z.core.$ZodType): readonly string[] {
  const schema = required(schemaAt(path, file))
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
}

/** The description of a key and a valid value, as the schema has them. */
export function documentationOf(schema: z.core.$ZodType | undefined): {
  readonly description: string | undefined
  readonly example: unknown
} {
  const inner = required(schema)
  const { description, examples } = (inner && z.globalRegistry.get(inner)) ?? {}
  return { description, example: Array.isArray(examples) ? examples[0] : undefined }
}

export function required(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  return schema instanceof z.ZodOptional ? (schema.unwrap() as z.core.$ZodType) : schema
}
