import type { TokenHeaderMapping } from './token-header-mapping.ts'

/** Fields of the token response and the headers that carry each, as the option `tokenHeaders` has them. */
export type HeadersByField = Readonly<Record<string, readonly string[]>>

export function headersByField(mappings: readonly TokenHeaderMapping[]): HeadersByField {
  // A field may be called `__proto__`.
  const byField: Record<string, string[]> = Object.create(null)
  for (const { field, header } of mappings) {
    byField[field] ??= []
    byField[field].push(header)
  }
  return byField
}

export function mappingsOf(byField: HeadersByField): readonly TokenHeaderMapping[] {
  return Object.entries(byField).flatMap(([field, headers]) => headers.map(header => ({ field, header })))
}
