/** Throws a `TypeError` for a text that cannot be the first part of keys. */
export function assertStorePrefix(prefix: unknown): asserts prefix is string {
  // No braces: in a cluster they would put every key into one slot.
  if (typeof prefix !== 'string' || !/^[\w.:-]{1,64}$/.test(prefix))
    throw new TypeError('prefix must be 1 to 64 letters, digits, ".", "_", "-" and ":"')
}
