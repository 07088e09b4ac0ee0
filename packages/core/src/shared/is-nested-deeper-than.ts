/**
 * Tells whether objects and arrays in a value are nested deeper than `depth`. Walking through a value takes stack for each
 * level. A primitive has depth 0.
 */
export function isNestedDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some(member => isNestedDeeperThan(member, depth - 1))
}
