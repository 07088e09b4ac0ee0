/** Whether objects and lists in a value are nested beyond a depth: whoever walks through it needs as much stack. A value that is neither has depth 0. */
export function isNestedDeeperThan(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some(member => isNestedDeeperThan(member, depth - 1))
}
